"""Discovery documents: the literal ones of nine vendors, and those that we must not trust."""

import json
import re
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey

from newsintel.outbound.oauth.discovery import (
    MOST_KEYS,
    TENANT,
    _matches_issuer,
    document_address,
    issuer_of_tenant,
    read_document,
    read_keys,
)
from tests.steps import ALLOWED, LONGEST_MS, longest_slice

PUBLISHED = Path(__file__).parent / "discovery"
VENDORS = (
    "auth0",
    "authelia",
    "authentik",
    "entra",
    "gitlab",
    "google",
    "keycloak",
    "okta",
    "zitadel",
)
TENANT_ID = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"


def published(name):
    """A vendor's document as published."""
    return json.loads((PUBLISHED / f"{name}.json").read_text())


def issuer_of(vendor):
    """The issuer that an operator sets: the document's own, except for Entra's several tenants."""
    return (
        "https://login.microsoftonline.com/common/v2.0"
        if vendor == "entra"
        else published(vendor)["issuer"]
    )


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendors_document_is_accepted(vendor):
    """Each endpoint is read from the member that the vendor uses."""
    said = published(vendor)
    document = read_document(said, issuer_of(vendor), secret=True)
    for name in (
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
    ):
        assert getattr(document, name) == said[name]
    assert document.auth_method == "client_secret_basic"
    assert document.auth_method in said.get(
        "token_endpoint_auth_methods_supported", ["client_secret_basic"]
    )
    assert read_document(said, issuer_of(vendor), secret=False).auth_method == "none"


def test_every_published_file_is_used():
    """Each file is a vendor's document or key set, and README.md names its source."""
    names = {path.stem for path in PUBLISHED.glob("*.json")}
    assert names == {*VENDORS, "entra-keys", "keycloak-keys"}
    told = (PUBLISHED / "README.md").read_text()
    assert all(f"`{name}.json`" in told for name in names)


@pytest.mark.parametrize("vendor", VENDORS)
def test_issuer_that_differs_from_the_document_is_refused(vendor):
    """Every character counts, also the last slash. The message tells the operator what to set."""
    said, issuer = published(vendor), issuer_of(vendor)
    for other in (
        issuer + "/",
        issuer.removesuffix("/"),
        issuer.upper(),
        issuer.replace("https", "http", 1),
        issuer + "x",
    ):
        if other != issuer:
            with pytest.raises(ValueError, match="set NEWSINTEL_OIDC_ISSUER to that") as error:
                read_document(said, other, secret=True)
            assert said["issuer"] in str(error.value)


@pytest.mark.parametrize(
    ("issuer", "address"),
    [
        # The two examples of OpenID Connect Discovery 1.0, 4.1.
        ("https://example.com", "https://example.com/.well-known/openid-configuration"),
        (
            "https://example.com/issuer1",
            "https://example.com/issuer1/.well-known/openid-configuration",
        ),
        # From the documentation of Auth0 and Authentik.
        (
            "https://{yourDomain}.us.auth0.com/",
            "https://{yourDomain}.us.auth0.com/.well-known/openid-configuration",
        ),
        (
            "https://authentik.example.com/application/o/romm/",
            "https://authentik.example.com/application/o/romm/.well-known/openid-configuration",
        ),
    ],
)
def test_document_is_below_the_issuer(issuer, address):
    """Exactly one slash stands between issuer and path."""
    assert document_address(issuer) == address


UNUSABLE = [
    "https://xn--/", "https://xn--a/", "https://xn--zz--/x", "https://a..b/", "https://.b/",
    "https://" + "a" * 64 + "/", "https://op.example:99999/",
    "https://op.example/\U0001f600", "https://op.example/\ud800",
    "https://op.example/a\r\nSet-Cookie: x=1", "https://op.example/\x00",
    "https://op.example/a b", "https://op.example/#frag", "https://user:word@op.example/",
    "https://op.example:x/", "https://é.example/",
    "https://op.example/" + "a" * 2048, "https://" + "a." * 127 + "example/", "https://[::1/",
    "https://:443/",
]  # fmt: skip
"""URLs that httpx, idna, ssl or a browser refuses, each at another step."""

WRONG = {
    "no issuer": {"issuer": None},
    "an issuer that is no text": {"issuer": ["https://op.example"]},
    "another issuer": {"issuer": "https://evil.example"},
    "a template that fits anything": {"issuer": "{tenantid}"},
    "another host's template": {"issuer": "https://evil.example/{tenantid}"},
    "no token endpoint": {"token_endpoint": None},
    "no authorization endpoint": {"authorization_endpoint": ""},
    "an endpoint that is no text": {"token_endpoint": 7},
    "another scheme": {"jwks_uri": "ftp://op.example/keys"},
    "less protected": {"jwks_uri": "http://op.example/keys"},
    "a script": {"authorization_endpoint": "javascript:alert(1)"},
    "no host": {"token_endpoint": "https:///token"},
    "no URL": {"token_endpoint": "https://["},
    **{
        f"no address: {bad[:40]!r}": {name: bad}
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        for bad in UNUSABLE
    },
}
RIGHT = {"issuer": "https://op.example"} | {
    name: f"https://op.example/{name}"
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
}


@pytest.mark.parametrize("wrong", WRONG)
def test_document_with_one_fault_is_refused(wrong):
    """Each fault alone is enough."""
    assert read_document(RIGHT, "https://op.example", secret=True)
    with pytest.raises(ValueError, match=r"issuer|missing"):
        read_document(RIGHT | WRONG[wrong], "https://op.example", secret=True)


@pytest.mark.parametrize(
    "userinfo", [None, 7, "http://op.example/u", "userinfo", "https://[", *UNUSABLE]
)
def test_unusable_userinfo_endpoint_is_none(userinfo):
    """Sign-in works without it."""
    assert (
        read_document(
            RIGHT | {"userinfo_endpoint": userinfo}, "https://op.example", secret=True
        ).userinfo_endpoint
        is None
    )


@pytest.mark.parametrize(
    ("supported", "method"),
    [
        (None, "client_secret_basic"),
        ("client_secret_post", "client_secret_basic"),
        (["client_secret_post"], "client_secret_post"),
        (["client_secret_post", "private_key_jwt"], "client_secret_post"),
        (["private_key_jwt"], "client_secret_basic"),
        (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
    ],
)
def test_secret_goes_into_the_header_if_the_provider_allows_it(supported, method):
    """It goes into the body only if the provider supports the body and not the header."""
    assert (
        read_document(
            RIGHT | {"token_endpoint_auth_methods_supported": supported},
            "https://op.example",
            secret=True,
        ).auth_method
        == method
    )


@pytest.mark.parametrize(
    "tenant", ["common", "organizations", "contoso.onmicrosoft.com", TENANT_ID]
)
def test_tenant_of_a_token_replaces_the_placeholder(tenant):
    """The issuer of Entra's document is a template; the token's tenant makes it an issuer."""
    document = read_document(
        published("entra"), f"https://login.microsoftonline.com/{tenant}/v2.0", secret=True
    )
    assert (
        issuer_of_tenant(document.issuer, TENANT_ID)
        == f"https://login.microsoftonline.com/{TENANT_ID}/v2.0"
    )
    for wrong in (None, 7, "common", "", "../evil", TENANT_ID + "/x"):
        with pytest.raises(ValueError, match="no tenant"):
            issuer_of_tenant(document.issuer, wrong)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.microsoftonline.com/a/b/v2.0",
        "https://login.microsoftonline.com/v2.0",
        "https://evil.example/common/v2.0",
    ],
)
def test_placeholder_matches_one_tenant_only(issuer):
    """It matches no other part of the URL."""
    with pytest.raises(ValueError, match="set NEWSINTEL_OIDC_ISSUER"):
        read_document(published("entra"), issuer, secret=True)


@pytest.mark.parametrize("times", [2, 18, 2000])
def test_template_with_several_placeholders_is_refused_quickly(times):
    """No provider publishes such a template, and refusing it must not take longer."""
    issuer = "https://login.example/" + "a" * 60 + "/v2.0!"
    for said in (
        "https://login.example/" + TENANT * times + "/v2.0",
        "https://login.example/" + (TENANT + "/") * times,
        TENANT * times,
    ):
        ms, _ = longest_slice(lambda said=said: refused(RIGHT | {"issuer": said}, issuer))
        assert ms < ALLOWED * LONGEST_MS


def refused(said, issuer):
    """Refuse a document, as sliced work."""
    with pytest.raises(ValueError, match="set NEWSINTEL_OIDC_ISSUER"):
        read_document(said, issuer, secret=True)
    yield


@pytest.mark.parametrize(
    "found",
    [
        "{tenantid}",
        "https://a/{tenantid}",
        "https://a/x{tenantid}x/v2",
        "https://a/b",
        "{tenantid}{tenantid}",
        "aXb{tenantid}aXb",
    ],
)
@pytest.mark.parametrize("tenant", ["", "t", "a/b", "{tenantid}", ".*", "aXb"])
def test_template_matches_like_a_regular_expression(found, tenant):
    """For at most one placeholder, the code without `re` gives the results of `re`."""
    for issuer in (
        found.replace(TENANT, tenant),
        found,
        "aXb",
        found.replace(TENANT, tenant) + "x",
    ):
        template = re.escape(found).replace(re.escape(TENANT), "[^/]+")
        wanted = found == issuer or (
            found.count(TENANT) == 1 and re.fullmatch(template, issuer) is not None
        )
        assert _matches_issuer(found, issuer) is wanted


def test_only_signing_keys_are_read():
    """All of Entra's keys sign. One of Keycloak's two keys encrypts and is left out."""
    assert len(read_keys(published("entra-keys")).keys) == len(published("entra-keys")["keys"]) > 5
    assert [key.kid for key in read_keys(published("keycloak-keys")).keys] == [
        "lmjNOucrGdRiN7XlpWJbQRIzSeKBS7OD-92xrhch6kw"
    ]


def number(octets):
    """A number in base64url, as in keys (RFC 7518, 2)."""
    return urlsafe_b64encode(b"\x81" * octets).decode().rstrip("=")


STRANGE_KEYS = {
    "post-quantum": {"kty": "AKP", "alg": "ML-DSA-44", "kid": "x", "pub": number(32)},
    "unknown curve": {"kty": "EC", "crv": "P-999", "kid": "x", "x": number(32), "y": number(32)},
    "Brainpool": {
        "kty": "EC",
        "crv": "brainpoolP256r1",
        "kid": "x",
        "x": number(32),
        "y": number(32),
    },
    "off its curve": {"kty": "EC", "crv": "P-256", "kid": "x", "x": number(32), "y": number(32)},
    "unknown octet pair": {"kty": "OKP", "crv": "Ed999", "kid": "x", "x": number(32)},
    "shared secret": {"kty": "oct", "kid": "x", "k": number(32)},
    "for encryption": {"kty": "RSA", "use": "enc", "kid": "x", "n": number(256), "e": "AQAB"},
    "too short": {"kty": "RSA", "kid": "x", "n": number(64), "e": "AQAB"},
    "without a number": {"kty": "RSA", "kid": "x", "e": "AQAB"},
    "not base64": {"kty": "RSA", "kid": "x", "n": "!", "e": "AQAB"},
    "a number for a text": {"kty": "RSA", "kid": 7, "n": number(256), "e": "AQAB"},
    "unknown use": {"kty": "RSA", "kid": "x", "use": "other", "n": number(256), "e": "AQAB"},
    "no kind": {"kid": "x"},
    "kinds": {"kty": ["RSA"], "kid": "x"},
    "text": "x",
    "nothing": None,
    "list": ["x"],
}


@pytest.mark.parametrize("strange", STRANGE_KEYS)
def test_unusable_key_is_left_out(strange):
    """The other keys work. A set of unusable keys only is an error."""
    good = ECKey.generate_key("P-256", {"kid": "good"}).as_dict(private=False)
    assert [key.kid for key in read_keys({"keys": [STRANGE_KEYS[strange], good]}).keys] == ["good"]
    with pytest.raises(ValueError, match="no key"):
        read_keys({"keys": [STRANGE_KEYS[strange]]})


def test_only_the_public_half_of_a_private_key_is_read():
    """The private numbers are not kept, and not checked, which takes seconds.

    Entra's `issuer` is kept.
    """
    private = RSAKey.generate_key(2048, {"kid": "k"}).as_dict(private=True)
    ms, keys = longest_slice(
        lambda: keys_of(
            [private | {"issuer": "https://x", "d": number(1024), "p": number(900)}] * 50
        )
    )
    assert ms < ALLOWED * LONGEST_MS
    assert {key.kid for key in keys} == {"k"}
    assert not any(key.is_private for key in keys)
    assert keys[0].get("issuer") == "https://x"


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "RSA", "kid": "x", "n": number(1025), "e": "AQAB"},
        {"kty": "RSA", "kid": "x", "n": number(4096), "e": "AQAB"},
        {"kty": "RSA", "kid": "x", "n": number(384), "e": number(9)},
        {"kty": "RSA", "kid": "x", "n": number(256), "e": number(256)},
        {"kty": "RSA", "kid": "x" * 100_000, "n": number(256), "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "kid": "x", "x": number(32_000), "y": number(32_000)},
        {"kty": "RSA", "kid": ["x"], "n": number(256), "e": "AQAB"},
    ],
)
def test_key_with_long_members_is_left_out(entry):
    """The length of its members decides, before any calculation."""
    ms, keys = longest_slice(lambda: keys_of([entry] * 50))
    assert keys == []
    assert ms < ALLOWED * LONGEST_MS


def keys_of(listed):
    """Read a set of keys, as sliced work."""
    yield
    try:
        return read_keys({"keys": listed}).keys
    except ValueError:
        return []


@pytest.mark.parametrize(
    "said",
    [{}, {"keys": None}, {"keys": 1}, {"keys": []}, {"keys": "abc"}, {"keys": {"kty": "RSA"}}],
)
def test_set_without_keys_is_refused(said):
    """The provider is at fault: it is an expected error."""
    with pytest.raises(ValueError, match="no key"):
        read_keys(said)


def test_number_of_keys_is_bounded():
    """A provider's reply must not block other requests."""
    entry = ECKey.generate_key("P-256", {"kid": "k"}).as_dict(private=False)
    assert len(read_keys({"keys": [entry] * 5000}).keys) == MOST_KEYS


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda some: (
        st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=8), some, max_size=3)
    ),
)
NAMES = st.sampled_from([*RIGHT, "token_endpoint_auth_methods_supported", "keys"])
KEY_NAMES = st.sampled_from(
    ["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "key_ops", "x5c", "k", "d"]
)
KEY_VALUES = (
    st.sampled_from(
        ["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "sig", "AQAB", number(32), number(256)]
    )
    | ANY_JSON
)


@given(
    st.dictionaries(NAMES, ANY_JSON),
    st.lists(st.dictionaries(KEY_NAMES, KEY_VALUES) | ANY_JSON, max_size=4),
)
def test_any_json_is_read_or_refused(said, keys):
    """Any JSON is accepted or raises ValueError with a message."""
    for read in (
        lambda: read_document(RIGHT | said, "https://op.example", secret=True),
        lambda: read_keys({"keys": keys}),
    ):
        try:
            assert read()
        except ValueError as error:
            assert str(error)
