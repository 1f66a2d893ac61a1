"""Signing in with an OpenID Connect provider, over real HTTP: whatever does not hold signs nobody in."""

import time
from datetime import UTC, datetime

import pytest
import trio
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from newsintel.demo.wire import Reply
from newsintel.errors import InvalidParameterError, SignInUnavailableError
from newsintel.oauth.oidc import FRESH_KEYS_EVERY_S, KEEP_S, OpenIdConnect
from newsintel.options import Secret
from newsintel.outbound import Transport
from newsintel.sign_in import new_attempt
from tests.oauth.issuer import running_issuer

ATTEMPT = new_attempt("oidc", "c" * 43, "/me")
BACK = "https://news.example.org/auth/oidc/callback"


@pytest.fixture
async def issuer():
    """A running provider."""
    async with running_issuer() as running:
        yield running


@pytest.fixture
async def provider(issuer):
    """Our side of it."""
    async with Transport() as transport:
        secret = Secret(issuer.client_secret)
        yield OpenIdConnect(issuer.url, issuer.client_id, secret, "Example", BACK, transport, lambda: datetime.now(UTC))


async def come_back(issuer, provider, attempt=ATTEMPT):
    """The whole way there and back; returns who it is."""
    issuer.authorize(await provider.begin(attempt))
    identity, tokens = await provider.finish("code-1", attempt)
    assert tokens is None
    return identity


async def test_the_whole_way(issuer, provider):
    """State, nonce, PKCE and our own address go along; a subject and a name come back."""
    asked = issuer.authorize(await provider.begin(ATTEMPT))
    assert (asked["state"], asked["nonce"], asked["redirect_uri"]) == (ATTEMPT.state, ATTEMPT.nonce, BACK)
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == ("code", "S256", "openid profile email")
    assert ATTEMPT.verifier not in str(asked)
    identity, _ = await provider.finish("code-1", ATTEMPT)
    assert (identity.provider, identity.subject, identity.username) == (issuer.url, "subject-1", "alice")
    assert identity.invited_as == ("oidc:subject-1", "oidc:a@b.org")


async def test_discovery_is_asked_once(issuer, provider, monkeypatch):
    """And again after an hour."""
    await come_back(issuer, provider)
    await come_back(issuer, provider)
    assert issuer.asked.count("/.well-known/openid-configuration") == issuer.asked.count("/keys") == 1
    provider._kept.at_s -= KEEP_S
    await come_back(issuer, provider)
    assert issuer.asked.count("/keys") == 2


async def test_keys_may_rotate_at_any_time(issuer, provider):
    """An unknown one is asked for, though not more often than once a minute."""
    await come_back(issuer, provider)
    issuer.rotate("k2")
    with pytest.raises(SignInUnavailableError):
        await come_back(issuer, provider)
    assert issuer.asked.count("/keys") == 1
    provider._kept.at_s -= FRESH_KEYS_EVERY_S
    assert (await come_back(issuer, provider)).subject == "subject-1"
    assert issuer.asked.count("/keys") == 2


async def test_an_rsa_key_is_as_good(issuer, provider):
    """Most providers have one."""
    issuer.keys = [RSAKey.generate_key(2048, {"kid": "r1"})]
    assert (await come_back(issuer, provider)).subject == "subject-1"


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
async def test_a_token_whose_claims_do_not_hold_signs_nobody_in(issuer, provider, wrong):
    """Each of them is enough."""
    issuer.claims = WRONG_CLAIMS[wrong]
    with pytest.raises(SignInUnavailableError, match=r"does not hold|did not say"):
        await come_back(issuer, provider)


def unsigned(issuer, claims):
    """As whoever asks for `none` would have it."""
    body = issuer.signed(claims).split(".")[1]
    return f"eyJhbGciOiJub25lIn0.{body}."


def by_our_secret(issuer, claims):
    """Signed with what a client and its provider share."""
    return jwt.encode({"alg": "HS256", "kid": "k1"}, claims, OctKey.import_key(issuer.client_secret), algorithms=["HS256"])


def by_another_key(issuer, claims):
    """Under a kid that is known."""
    return issuer.signed(claims, ECKey.generate_key("P-256", {"kid": "k1"}))


def changed(issuer, claims):
    """With another body under the same signature."""
    head, _, signature = issuer.signed(claims).split(".")
    return ".".join([head, issuer.signed(claims | {"sub": "other"}).split(".")[1], signature])


@pytest.mark.parametrize(
    "sign", [unsigned, by_our_secret, by_another_key, changed, lambda *_: "x", lambda *_: "a.b.c", lambda *_: "", lambda *_: "é"]
)
async def test_a_token_that_the_provider_did_not_sign_signs_nobody_in(issuer, provider, sign):
    """Whatever it says."""
    issuer.sign = lambda claims: sign(issuer, claims)
    with pytest.raises(SignInUnavailableError, match="does not hold"):
        await come_back(issuer, provider)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"issuer": "https://evil.example"}, "did not describe itself"),
        ({"token_endpoint": None}, "did not describe itself"),
        ({"jwks_uri": "ftp://127.0.0.1/keys"}, "did not describe itself"),
        ({"jwks_uri": "https://127.0.0.1:1/keys"}, "cannot be reached"),
    ],
)
async def test_a_document_that_cannot_be_trusted_is_not(issuer, provider, document, says):
    """Another issuer's, or one without what is needed."""
    issuer.document = document
    with pytest.raises(SignInUnavailableError, match=says):
        await provider.begin(ATTEMPT)


@pytest.mark.parametrize("keys", [[], {}, {"keys": 1}, {"keys": [{"kty": "none"}]}])
async def test_keys_that_are_none(issuer, provider, keys, monkeypatch):
    """It is the provider's trouble, not a bug of ours."""
    real = issuer.respond

    async def respond(request):
        return Reply.json(200, keys) if request.path == "/keys" else await real(request)

    monkeypatch.setattr(type(issuer), "respond", lambda _self, request: respond(request))
    async with running_issuer() as other, Transport() as transport:
        other_side = OpenIdConnect(other.url, "newsintel", None, "Example", BACK, transport, lambda: datetime.now(UTC))
        with pytest.raises(SignInUnavailableError):
            await other_side.begin(ATTEMPT)


REPLIES = {
    "a spent code": (Reply.json(400, {"error": "invalid_grant"}), InvalidParameterError),
    "not us": (Reply.json(401, {"error": "invalid_client"}), SignInUnavailableError),
    "no token": (Reply.json(200, {"foo": 1}), SignInUnavailableError),
    "HTML": (Reply.html(200, "<html>"), SignInUnavailableError),
    "down": (Reply(503), SignInUnavailableError),
    "busy": (Reply.json(429, {}, Retry_After="7"), SignInUnavailableError),
    "no ID token": (Reply.json(200, {"access_token": "a", "token_type": "Bearer", "expires_in": 60}), SignInUnavailableError),
}


@pytest.mark.parametrize("case", REPLIES)
async def test_whatever_the_token_endpoint_says(issuer, provider, case):
    """It ends in one of our own exceptions, with something to do."""
    issuer.reply, expected = REPLIES[case]
    with pytest.raises(expected) as error:
        await come_back(issuer, provider)
    assert error.value.args
    assert getattr(error.value, "retry_after_s", None) == (7 if case == "busy" else None)


async def test_a_secret_is_sent_as_the_provider_takes_it(issuer, provider):
    """In the body where it takes no other way."""
    issuer.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert (await come_back(issuer, provider)).subject == "subject-1"


async def test_a_provider_that_hangs_is_given_up(issuer, provider, monkeypatch):
    """A person waits, and is told."""
    monkeypatch.setattr("newsintel.oauth.exchange.ATTEMPT_S", 0.2)

    async def hang(_request):
        await trio.sleep_forever()

    monkeypatch.setattr(type(issuer), "respond", lambda _self, request: hang(request))
    async with running_issuer() as other, Transport() as transport:
        other_side = OpenIdConnect(other.url, "newsintel", None, "Example", BACK, transport, lambda: datetime.now(UTC))
        with pytest.raises(SignInUnavailableError, match="too long"):
            await other_side.begin(ATTEMPT)
