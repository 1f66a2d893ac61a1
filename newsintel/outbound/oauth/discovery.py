"""Reads an OpenID Connect provider's discovery document (Discovery 1.0) and signing keys. Pure.

An issuer is an identifier, not a base address: `https://op.example` and `https://op.example/` are
two issuers. Issuers are compared character by character (Discovery 1.0, 4.3).
"""

import re
import warnings
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from attrs import frozen
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey, import_key

from newsintel.outbound.oauth.library import get_well_known_url

TENANT = "{tenantid}"
"""Placeholder in the issuer of Microsoft Entra's documents for several tenants.

These are the tenants `common` and `organizations`. Each ID token names its tenant in the claim
`tid`; the token's issuer is the document's issuer with `tid` in place of the placeholder
(Microsoft: "Secure applications and APIs by validating claims").
"""

MOST_KEYS = 20
"""Maximum number of keys read from a set.

Providers have 1 to 9. Importing a key blocks the loop for about 0.1 ms.
"""

_PUBLIC = frozenset({"kty", "n", "e", "crv", "x", "y", "kid", "use", "alg", "issuer"})
"""The members of a key that are read (RFC 7518, 6; `issuer` is Entra's).

Private members are not read. A private key in a public set is a mistake or an attack: checking its
numbers for consistency takes seconds.
"""

_MAX_RSA_CHARS = {"n": 1366, "e": 11}
"""Maximum lengths in base64url.

The modulus has up to 8,192 bits; verifying a signature then takes 0.5 ms. The exponent has up to 64
bits, which is OpenSSL's own limit.
"""

_MAX_MEMBER_CHARS = 1366
"""Maximum length of any other member; the longest names have about 90 characters."""

_MAX_ENDPOINT_CHARS = 2048
_HOST = re.compile(
    r"(?=.{1,253}\Z)[^.:\[\]]{1,63}(?:\.[^.:\[\]]{1,63})*\.?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]{1,45}"
)
"""A host name, or an IP address without its brackets."""

LONGEST_SHOWN = 200

Signer = ECKey | OKPKey | RSAKey


@frozen
class DiscoveryDocument:
    """The members of a discovery document that are used, with their names (Discovery 1.0, 3).

    Attributes:
        issuer: the issuer of the ID tokens; contains TENANT if the token names the tenant.
        userinfo_endpoint: None if there is none.
        auth_method: how we authenticate at the token endpoint: client_secret_basic,
            client_secret_post or none.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    auth_method: str


def document_address(issuer: str) -> str:
    """Return the URL of an issuer's document.

    A trailing slash is removed before the path is appended (Discovery 1.0, 4.1).
    """
    return str(get_well_known_url(issuer, external=True))


def read_document(said: Mapping[str, Any], issuer: str, *, secret: bool) -> DiscoveryDocument:
    """Read an issuer's document.

    Args:
        said: the JSON object in the reply.
        issuer: the setting, for which the document was requested.
        secret: whether we have a client secret.

    Raises:
        ValueError: the document is another issuer's, whose keys we must not trust, or lacks a
            member that sign-in needs. The message is for the operator's log.
    """
    if not _matches_issuer(said.get("issuer"), issuer):
        raise ValueError(
            f"the document's issuer is {str(said.get('issuer'))[:LONGEST_SHOWN]!r}: "
            "set NEWSINTEL_OIDC_ISSUER to that"
        )
    endpoints = {
        name: said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    }
    for name, endpoint in endpoints.items():
        if not _is_usable_endpoint(endpoint, issuer):
            raise ValueError(f"{name} is missing, or not as well protected as the issuer")
    userinfo = said.get("userinfo_endpoint")
    return DiscoveryDocument(
        issuer=str(said["issuer"]),
        userinfo_endpoint=userinfo if _is_usable_endpoint(userinfo, issuer) else None,
        auth_method=_auth_method(said.get("token_endpoint_auth_methods_supported"))
        if secret
        else "none",
        **{name: str(endpoint) for name, endpoint in endpoints.items()},
    )


def issuer_of_tenant(issuer: str, tenant: Any) -> str:
    """Return an issuer with its placeholder replaced by the tenant.

    An issuer without a placeholder is returned unchanged.

    Raises:
        ValueError: there is a placeholder, but the tenant is not a GUID.
    """
    if TENANT not in issuer:
        return issuer
    if not isinstance(tenant, str) or not re.fullmatch(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", tenant
    ):
        raise ValueError("the token names no tenant")
    return issuer.replace(TENANT, tenant)


def read_keys(said: Mapping[str, Any]) -> KeySet:
    """Return the keys of a set that can verify signatures.

    Unknown and unusable keys are skipped (RFC 7517, 5).

    Raises:
        ValueError: no key remains.
    """
    listed = said.get("keys")
    found = map(_import_key, listed[:MOST_KEYS] if isinstance(listed, list) else ())
    keys: list[Key] = [key for key in found if key is not None]
    if not keys:
        raise ValueError("no key that can be used")
    return KeySet(keys)


def _matches_issuer(found: Any, issuer: str) -> bool:
    """Return whether a document's issuer matches the requested one.

    A document for several tenants has one placeholder, which the requested issuer fills.
    """
    if not isinstance(found, str):
        return False
    before, mark, after = found.partition(TENANT)
    if not mark or TENANT in after:
        return found == issuer
    tenant = issuer[len(before) : len(issuer) - len(after)]
    return issuer == before + tenant + after and bool(tenant) and "/" not in tenant


def _is_usable_endpoint(endpoint: Any, issuer: str) -> bool:
    """Return whether our client and browsers can use a URL that is as secure as the issuer's.

    The URL must be visible ASCII (RFC 3986), without a fragment (RFC 6749, 3.1 and 3.2) or a
    password, and its host must be well-formed.
    """
    if not (
        isinstance(endpoint, str)
        and len(endpoint) <= _MAX_ENDPOINT_CHARS
        and re.fullmatch(r"[!-~]+", endpoint)
    ):
        return False
    try:
        parts = urlsplit(endpoint)
        host, _port = httpx.URL(endpoint).raw_host.decode(), parts.port
        readable = httpx.URL(endpoint).host  # idna may raise here; httpx calls it for every request
    except (ValueError, httpx.InvalidURL):
        return False
    named = (
        _HOST.fullmatch(host) is not None
        and bool(readable)
        and "@" not in parts.netloc
        and "#" not in endpoint
    )
    return named and parts.scheme in ("https", urlsplit(issuer).scheme)


def _auth_method(supported: Any) -> str:
    """Choose where our credentials go: into the header, or into the body if only that is accepted.

    Every provider must accept the header (RFC 6749, 2.3.1).
    """
    posts = (
        isinstance(supported, list)
        and "client_secret_basic" not in supported
        and "client_secret_post" in supported
    )
    return "client_secret_post" if posts else "client_secret_basic"


def _import_key(entry: Any) -> Signer | None:
    """Import a key of a set; None if the key is unusable.

    Unusable are keys of an unknown kind or curve, invalid ones, ones that are too short to be safe
    or too long to check, and ones that are not for signatures.
    """
    if not isinstance(entry, dict):
        return None
    public = {name: value for name, value in entry.items() if name in _PUBLIC}
    if not all(
        isinstance(value, str) and len(value) <= _MAX_RSA_CHARS.get(name, _MAX_MEMBER_CHARS)
        for name, value in public.items()
    ):
        return None
    try:
        with warnings.catch_warnings():
            # joserfc warns about RSA keys under 2048 bits, which RFC 7518, 3.3 forbids.
            warnings.simplefilter("error")
            key = import_key(public)
    except (
        JoseError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        UnsupportedAlgorithm,
        Warning,
    ):
        return None
    return key if isinstance(key, Signer) and key.get("use") != "enc" else None
