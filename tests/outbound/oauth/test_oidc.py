"""Sign-in with an OpenID Connect provider over real HTTP: an invalid proof signs nobody in."""

import base64
import json
import time
from datetime import UTC, datetime
from functools import partial

import pytest
import trio
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from newsintel.config.values import Secret
from newsintel.demo.wire import Reply
from newsintel.domain.accounts.sign_in import create_attempt
from newsintel.errors import InvalidParameterError, SignInUnavailableError
from newsintel.outbound.oauth.id_token import read_id_token
from newsintel.outbound.oauth.oidc import DISCOVERY_KEEP_S, FRESH_KEYS_EVERY_S, OpenIdConnect
from newsintel.outbound.transport import Transport
from tests.outbound.oauth.issuer import running_issuer
from tests.outbound.oauth.test_discovery import STRANGE_KEYS

ATTEMPT = create_attempt("oidc", "c" * 43, "/me")
BACK = "https://news.example.org/auth/oidc/callback"


@pytest.fixture
async def issuer():
    """A running provider."""
    async with running_issuer() as running:
        yield running


@pytest.fixture
async def provider(issuer):
    """Our client of that provider."""
    async with Transport() as transport:
        secret = Secret(issuer.client_secret)
        yield OpenIdConnect(
            issuer.url,
            issuer.client_id,
            secret,
            "Example",
            BACK,
            transport,
            lambda: datetime.now(UTC),
        )


async def come_back(issuer, provider, attempt=ATTEMPT):
    """Pass the whole sign-in; returns the identity."""
    issuer.authorize(await provider.start_sign_in(attempt))
    identity, tokens = await provider.finish_sign_in("code-1", attempt)
    assert tokens is None
    return identity


async def test_sign_in_returns_the_identity(issuer, provider):
    """We send state, nonce, PKCE and our redirect URI; a subject and a name come back."""
    asked = issuer.authorize(await provider.start_sign_in(ATTEMPT))
    assert (asked["state"], asked["nonce"], asked["redirect_uri"]) == (
        ATTEMPT.state,
        ATTEMPT.nonce,
        BACK,
    )
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == (
        "code",
        "S256",
        "openid profile email",
    )
    assert ATTEMPT.verifier not in str(asked)
    identity, _ = await provider.finish_sign_in("code-1", ATTEMPT)
    assert (identity.provider, identity.subject, identity.username) == (
        issuer.url,
        "subject-1",
        "alice",
    )
    assert identity.invited_as == ("oidc:subject-1", "oidc:a@b.org")


async def test_discovery_is_cached_for_an_hour(issuer, provider, monkeypatch):
    """After an hour the document and the keys are fetched again."""
    await come_back(issuer, provider)
    await come_back(issuer, provider)
    assert (
        issuer.asked.count("/.well-known/openid-configuration") == issuer.asked.count("/keys") == 1
    )
    provider._kept.at_s -= DISCOVERY_KEEP_S
    await come_back(issuer, provider)
    assert issuer.asked.count("/keys") == 2


async def test_unknown_key_is_fetched_at_most_once_a_minute(issuer, provider):
    """A provider may rotate its keys at any time."""
    await come_back(issuer, provider)
    issuer.rotate("k2")
    with pytest.raises(SignInUnavailableError):
        await come_back(issuer, provider)
    assert issuer.asked.count("/keys") == 1
    provider._kept.at_s -= FRESH_KEYS_EVERY_S
    assert (await come_back(issuer, provider)).subject == "subject-1"
    assert issuer.asked.count("/keys") == 2


async def test_rsa_signature_is_accepted(issuer, provider):
    """Most providers sign with RSA."""
    issuer.keys = [RSAKey.generate_key(2048, {"kid": "r1"})]
    assert (await come_back(issuer, provider)).subject == "subject-1"


def side(issuer, transport, name=None, secret=None):
    """Our client of a provider, with the issuer that its operator sets."""
    return OpenIdConnect(
        name or issuer.url,
        issuer.client_id,
        secret or Secret(issuer.client_secret),
        "Example",
        BACK,
        transport,
        lambda: datetime.now(UTC),
    )


async def test_an_issuer_may_end_with_a_slash(issuer):
    """Auth0 and Authentik have such issuers.

    Their documents and tokens repeat the issuer exactly.
    """
    name = issuer.url + "/"
    issuer.document, issuer.claims = {"issuer": name}, {"iss": name}
    async with Transport() as transport:
        assert (await come_back(issuer, side(issuer, transport, name))).provider == name
        assert issuer.asked[0] == "/.well-known/openid-configuration"
        with pytest.raises(SignInUnavailableError, match="is not configured correctly"):
            await side(issuer, transport).start_sign_in(ATTEMPT)


LENIENT = {
    "no life": {"expires_in": None},
    "life as text": {"expires_in": "3599"},
    "a short life": {"expires_in": 30},
    "a life of none": {"expires_in": 0},
    "life in words": {"expires_in": "an hour"},
    "a list": {"expires_in": [1]},
    "no kind": {"token_type": None},
    "another kind": {"token_type": "DPoP"},
    "members of others": {
        "scope": "openid",
        "not-before-policy": 0,
        "session_state": "s",
        "ext_expires_in": 5,
        "expires_at": "x",
        "refresh_token": 7,
    },
    "no access token": {"access_token": None},
    "an access token that no header carries": {"access_token": "é\r\n"},
}


@pytest.mark.parametrize("case", LENIENT)
async def test_other_members_of_the_token_reply_do_not_matter(issuer, provider, case):
    """Only the ID token counts: a sign-in stores no other token."""
    issuer.members = LENIENT[case]
    assert (await come_back(issuer, provider)).subject == "subject-1"


SUB_ALONE = {"preferred_username": None, "email": None, "email_verified": None}
TOLD = {
    "sub": "subject-1",
    "preferred_username": "alice",
    "email": "a@b.org",
    "email_verified": True,
}


async def test_name_and_address_may_come_from_userinfo(issuer, provider):
    """Authelia and Zitadel do this (Core 5.4).

    If the ID token has both, userinfo is not requested.
    """
    issuer.claims, issuer.userinfo = SUB_ALONE, TOLD
    identity = await come_back(issuer, provider)
    assert (identity.username, identity.invited_as) == ("alice", ("oidc:subject-1", "oidc:a@b.org"))
    issuer.claims = {}
    assert (await come_back(issuer, provider)).username == "alice"
    assert issuer.asked.count("/userinfo") == 1


async def test_userinfo_of_another_subject_signs_nobody_in(issuer, provider):
    """OpenID Connect Core 1.0, 5.3.2."""
    issuer.claims, issuer.userinfo = SUB_ALONE, TOLD | {"sub": "subject-2"}
    with pytest.raises(SignInUnavailableError, match="invalid proof"):
        await come_back(issuer, provider)


@pytest.mark.parametrize(
    "reply", [Reply(503), Reply(401), Reply.html(200, "<html>"), Reply.json(200, ["x"])]
)
async def test_failed_userinfo_fails_the_sign_in(issuer, provider, reply):
    """Otherwise the person's name would be their subject, and no invitation would match."""
    issuer.claims, issuer.userinfo = SUB_ALONE, reply
    with pytest.raises(SignInUnavailableError, match="did not answer as it should"):
        await come_back(issuer, provider)


async def test_without_userinfo_the_subject_is_the_name(issuer, provider):
    """Either the provider has no userinfo endpoint, or it sent no access token for it."""
    issuer.claims = SUB_ALONE
    assert (await come_back(issuer, provider)).username == "subject-1"
    issuer.userinfo, issuer.members = TOLD, {"access_token": None}
    assert (await come_back(issuer, provider)).username == "subject-1"


async def test_unknown_kinds_of_keys_are_left_out(issuer, provider):
    """The known key verifies the token."""
    issuer.strange_keys = list(STRANGE_KEYS.values())
    assert (await come_back(issuer, provider)).subject == "subject-1"


async def test_keys_and_tokens_may_lack_a_key_id(issuer, provider):
    """A token without a key id is checked against every key.

    A key without an id is tried for every token. A signature by an unknown key is invalid.
    """
    issuer.keys = [ECKey.generate_key("P-256", {"kid": name}) for name in ("k1", "k2")]
    issuer.sign = lambda claims: jwt.encode({"alg": "ES256"}, claims, issuer.keys[1])
    assert (await come_back(issuer, provider)).subject == "subject-1"
    stranger = ECKey.generate_key("P-256")
    issuer.sign = lambda claims: jwt.encode({"alg": "ES256"}, claims, stranger)
    with pytest.raises(SignInUnavailableError, match="invalid proof"):
        await come_back(issuer, provider)
    provider._kept.keys.keys[:] = [
        ECKey.import_key({name: part for name, part in stranger.as_dict().items() if name != "kid"})
    ]
    issuer.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": "named"}, claims, stranger)
    assert (await come_back(issuer, provider)).subject == "subject-1"


TENANT, OTHER_TENANT = (
    "8eaef023-2b34-4da1-9baa-8bc8c9d6a490",
    "9188040d-6c67-4c5b-b112-36a304b66dad",
)


async def in_tenant(issuer, transport, tenant=TENANT, made_by=TENANT, key_of="{tenantid}"):
    """Sign in a person of a tenant at a provider for several, like Entra's `common`."""
    issuer.document = {"issuer": issuer.url + "/{tenantid}/v2.0"}
    issuer.claims = {"iss": f"{issuer.url}/{made_by}/v2.0", "tid": tenant}
    issuer.keys = [
        ECKey.generate_key("P-256", {"kid": "k1", "issuer": f"{issuer.url}/{key_of}/v2.0"})
    ]
    return await come_back(issuer, side(issuer, transport, issuer.url + "/common/v2.0"))


async def test_issuer_of_a_tenant_owns_the_account(issuer):
    """Each token names the issuer of its tenant, and the account belongs to that issuer.

    No address is invited: a tenant's admin can enter any address.
    """
    async with Transport() as transport:
        identity = await in_tenant(issuer, transport)
        assert (identity.provider, identity.invited_as) == (
            f"{issuer.url}/{TENANT}/v2.0",
            ("oidc:subject-1",),
        )
        assert issuer.asked[0] == "/common/v2.0/.well-known/openid-configuration"
        assert (await in_tenant(issuer, transport, key_of=TENANT)).subject == "subject-1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"made_by": OTHER_TENANT},
        {"tenant": None},
        {"tenant": "common", "made_by": "common"},
        {"key_of": OTHER_TENANT},
        {"tenant": 7},
    ],
)
async def test_token_of_another_tenant_is_refused(issuer, wrong):
    """Neither its token nor its key counts."""
    async with Transport() as transport:
        with pytest.raises(SignInUnavailableError, match="invalid proof"):
            await in_tenant(issuer, transport, **wrong)


async def test_older_issuer_of_google_is_accepted():
    """Google's reference allows it for `issuer`. For any other provider it is a wrong issuer."""
    key = ECKey.generate_key("P-256", {"kid": "k1"})
    now = datetime.now(UTC)
    claims = {
        "iss": "accounts.google.com",
        "aud": "c",
        "sub": "s",
        "nonce": "n",
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + 60,
    }
    token = jwt.encode({"alg": "ES256", "kid": "k1"}, claims, key)
    read = partial(read_id_token, token, KeySet([key]), client_id="c", nonce="n", now=now)
    assert read(issuer="https://accounts.google.com")["iss"] == "https://accounts.google.com"
    with pytest.raises(JoseError):
        read(issuer="https://google.example")


NOW = int(time.time())
WRONG_CLAIMS = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "somebody"},
    "no audience": {"aud": None},
    "expired": {"exp": NOW - 3600},
    "no expiry": {"exp": None},
    "another nonce": {"nonce": "x" * 43},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "another party": {"aud": ["newsintel", "other"], "azp": "other"},
    "made tomorrow": {"iat": NOW + 86400},
}


@pytest.mark.parametrize("wrong", WRONG_CLAIMS)
async def test_token_with_a_wrong_claim_signs_nobody_in(issuer, provider, wrong):
    """Each wrong claim alone is enough."""
    issuer.claims = WRONG_CLAIMS[wrong]
    with pytest.raises(SignInUnavailableError, match=r"invalid proof|did not say"):
        await come_back(issuer, provider)


def unsigned(issuer, claims):
    """An ID token with the algorithm `none`."""
    body = issuer.signed(claims).split(".")[1]
    return f"eyJhbGciOiJub25lIn0.{body}."


def by_our_secret(issuer, claims):
    """An ID token signed with the secret that client and provider share."""
    return jwt.encode(
        {"alg": "HS256", "kid": "k1"},
        claims,
        OctKey.import_key(issuer.client_secret),
        algorithms=["HS256"],
    )


def by_another_key(issuer, claims):
    """An ID token signed by another key under a known key id."""
    return issuer.signed(claims, ECKey.generate_key("P-256", {"kid": "k1"}))


def changed(issuer, claims):
    """An ID token with another body under the same signature."""
    head, _, signature = issuer.signed(claims).split(".")
    return ".".join([head, issuer.signed(claims | {"sub": "other"}).split(".")[1], signature])


def with_header(**members):
    """Return a signer whose tokens also have these members in their header."""

    def sign(issuer, claims):
        header, body, signature = issuer.signed(claims).split(".")
        plain = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
        encoded = base64.urlsafe_b64encode(json.dumps(plain | members).encode())
        return ".".join([encoded.decode().rstrip("="), body, signature])

    return sign


EXTENSIONS = [None, False, 1, 1.5, "", "exp", [], ["exp"], [None], [1], [[]], [{}], ["b64"], {}]
"""Values of `crit`, the list of extensions that the reader must understand (RFC 7515, 4.1.11)."""


@pytest.mark.parametrize(
    "sign",
    [
        *(with_header(crit=value) for value in EXTENSIONS),
        with_header(crit=["b64"], b64=False),
        *(with_header(alg=value) for value in (None, 1, [], {})),
        *(with_header(kid=value) for value in (1, [], {})),
        unsigned,
        by_our_secret,
        by_another_key,
        changed,
        lambda *_: "x",
        lambda *_: "a.b.c",
        lambda *_: "",
        lambda *_: "é",
    ],
)
async def test_token_without_a_valid_signature_signs_nobody_in(issuer, provider, sign):
    """Its claims do not matter."""
    issuer.sign = lambda claims: sign(issuer, claims)
    with pytest.raises(SignInUnavailableError, match="invalid proof"):
        await come_back(issuer, provider)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"issuer": "https://evil.example"}, "is not configured correctly"),
        ({"token_endpoint": None}, "is not configured correctly"),
        ({"jwks_uri": "ftp://127.0.0.1/keys"}, "is not configured correctly"),
        ({"jwks_uri": "https://127.0.0.1:1/keys"}, "cannot be reached"),
    ],
)
async def test_document_that_cannot_be_trusted_fails_the_sign_in(issuer, provider, document, says):
    """It has another issuer, lacks an endpoint, or names an endpoint that is unreachable."""
    issuer.document = document
    with pytest.raises(SignInUnavailableError, match=says):
        await provider.start_sign_in(ATTEMPT)


@pytest.mark.parametrize("keys", [[], {}, {"keys": 1}, {"keys": [{"kty": "none"}]}])
async def test_invalid_key_set_fails_the_sign_in(issuer, provider, keys, monkeypatch):
    """The provider is at fault: it is an expected error."""
    real = issuer.respond

    async def respond(request):
        return Reply.json(200, keys) if request.path == "/keys" else await real(request)

    monkeypatch.setattr(type(issuer), "respond", lambda _self, request: respond(request))
    async with running_issuer() as other, Transport() as transport:
        other_side = OpenIdConnect(
            other.url, "newsintel", None, "Example", BACK, transport, lambda: datetime.now(UTC)
        )
        with pytest.raises(SignInUnavailableError):
            await other_side.start_sign_in(ATTEMPT)


REPLIES = {
    "a spent code": (Reply.json(400, {"error": "invalid_grant"}), InvalidParameterError),
    "not us": (Reply.json(401, {"error": "invalid_client"}), SignInUnavailableError),
    "no token": (Reply.json(200, {"foo": 1}), SignInUnavailableError),
    "HTML": (Reply.html(200, "<html>"), SignInUnavailableError),
    "down": (Reply(503), SignInUnavailableError),
    "busy": (Reply.json(429, {}, Retry_After="7"), SignInUnavailableError),
    "no ID token": (
        Reply.json(200, {"access_token": "a", "token_type": "Bearer", "expires_in": 60}),
        SignInUnavailableError,
    ),
}


@pytest.mark.parametrize("case", REPLIES)
async def test_token_endpoint_errors_are_our_exceptions(issuer, provider, case):
    """Each reply ends in one of our exceptions, with a message that says what to do."""
    issuer.reply, expected = REPLIES[case]
    with pytest.raises(expected) as error:
        await come_back(issuer, provider)
    assert error.value.args
    assert getattr(error.value, "retry_after_s", None) == (7 if case == "busy" else None)


async def test_secret_is_sent_in_the_body_if_required(issuer, provider):
    """The provider accepts no other way."""
    issuer.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert (await come_back(issuer, provider)).subject == "subject-1"


async def test_hanging_provider_times_out(issuer, provider, monkeypatch):
    """The person waits at most for the timeout, and gets a message."""
    monkeypatch.setattr("newsintel.outbound.oauth.exchange.ATTEMPT_S", 0.2)

    async def hang(_request):
        await trio.sleep_forever()

    monkeypatch.setattr(type(issuer), "respond", lambda _self, request: hang(request))
    async with running_issuer() as other, Transport() as transport:
        other_side = OpenIdConnect(
            other.url, "newsintel", None, "Example", BACK, transport, lambda: datetime.now(UTC)
        )
        with pytest.raises(SignInUnavailableError, match="too long"):
            await other_side.start_sign_in(ATTEMPT)
