"""What an OpenID Connect provider says of itself (Discovery 1.0), and the keys that it signs with. Pure.

An issuer is an identifier and not a base address: `https://op.example` and `https://op.example/` are two issuers, and it is compared
character by character (Discovery 1.0, 4.3).
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
"""In the issuer of Microsoft Entra's documents for several tenants (`common`, `organizations`): there each ID token names its tenant in the
claim `tid`, and its issuer is the document's with that put in (Microsoft: "Secure applications and APIs by validating claims")."""

MOST_KEYS = 20
"""Keys that are read of a set. Providers have 1 to 9; importing one takes about 0.1 ms, during which nobody else is served."""

_PUBLIC = frozenset({"kty", "n", "e", "crv", "x", "y", "kid", "use", "alg", "issuer"})
"""The members of a key that are read (RFC 7518, 6; `issuer` is Entra's). A private key in a public set is a mistake or an attack: checking
that its numbers fit together takes seconds."""

_MAX_RSA_CHARS = {"n": 1366, "e": 11}
"""In base64url: 8,192 bits, of which a signature takes 0.5 ms to verify, and 64 bits, which OpenSSL itself bounds the exponent to."""

_MAX_MEMBER_CHARS = 1366
"""Of any other member; the longest names are some 90."""

_MAX_ENDPOINT_CHARS = 2048
_HOST = re.compile(r"(?=.{1,253}\Z)[^.:\[\]]{1,63}(?:\.[^.:\[\]]{1,63})*\.?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]{1,45}")
"""A name, or an address of the Internet Protocol, without its brackets."""

LONGEST_SHOWN = 200

Signer = ECKey | OKPKey | RSAKey


@frozen
class Document:
    """What of a discovery document is used; its members are named as there (Discovery 1.0, 3).

    Attributes:
        issuer: who makes the ID tokens; holds TENANT where that follows from the token.
        userinfo_endpoint: None if there is none.
        auth_method: how we say at the token endpoint who we are: client_secret_basic, client_secret_post or none.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    auth_method: str


def document_address(issuer: str) -> str:
    """Where an issuer's document is: a terminating slash goes before the path is appended (Discovery 1.0, 4.1)."""
    return str(get_well_known_url(issuer, external=True))


def read_document(said: Mapping[str, Any], issuer: str, *, secret: bool) -> Document:
    """The document of an issuer.

    Args:
        said: the JSON object that came.
        issuer: the setting, for which it was asked.
        secret: whether we have a client secret.

    Raises:
        ValueError: it is another issuer's, which would have us trust its keys, or lacks what signing in takes. The message is for the
            operator's log.
    """
    if not _speaks_for(said.get("issuer"), issuer):
        raise ValueError(f"the document's issuer is {str(said.get('issuer'))[:LONGEST_SHOWN]!r}: set NEWSINTEL_OIDC_ISSUER to that")
    endpoints = {name: said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    for name, endpoint in endpoints.items():
        if not _usable(endpoint, issuer):
            raise ValueError(f"{name} is missing, or not as well protected as the issuer")
    userinfo = said.get("userinfo_endpoint")
    return Document(
        issuer=str(said["issuer"]),
        userinfo_endpoint=userinfo if _usable(userinfo, issuer) else None,
        auth_method=_auth_method(said.get("token_endpoint_auth_methods_supported")) if secret else "none",
        **{name: str(endpoint) for name, endpoint in endpoints.items()},
    )


def issuer_of_tenant(issuer: str, tenant: Any) -> str:
    """An issuer with its tenant put in: the issuer itself where it has no place for one.

    Raises:
        ValueError: it has, and the tenant is no GUID.
    """
    if TENANT not in issuer:
        return issuer
    if not isinstance(tenant, str) or not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", tenant):
        raise ValueError("the token names no tenant")
    return issuer.replace(TENANT, tenant)


def read_keys(said: Mapping[str, Any]) -> KeySet:
    """The keys of a set by which signatures can be verified; what we do not know or cannot use is left out (RFC 7517, 5).

    Raises:
        ValueError: that leaves none.
    """
    listed = said.get("keys")
    found = map(_signer, listed[:MOST_KEYS] if isinstance(listed, list) else ())
    keys: list[Key] = [key for key in found if key is not None]
    if not keys:
        raise ValueError("no key that can be used")
    return KeySet(keys)


def _speaks_for(found: Any, issuer: str) -> bool:
    """Whether a document's issuer is the one that was asked for, or that of all its tenants: then it has one place for one."""
    if not isinstance(found, str):
        return False
    before, mark, after = found.partition(TENANT)
    if not mark or TENANT in after:
        return found == issuer
    tenant = issuer[len(before) : len(issuer) - len(after)]
    return issuer == before + tenant + after and bool(tenant) and "/" not in tenant


def _usable(endpoint: Any, issuer: str) -> bool:
    """True for a URL that is as well protected as the issuer's own, and that our client and browsers can go to.

    In visible ASCII (RFC 3986), without a fragment (RFC 6749, 3.1 and 3.2) or a password, with a host that can be looked up.
    """
    if not (isinstance(endpoint, str) and len(endpoint) <= _MAX_ENDPOINT_CHARS and re.fullmatch(r"[!-~]+", endpoint)):
        return False
    try:
        parts = urlsplit(endpoint)
        host, _port = httpx.URL(endpoint).raw_host.decode(), parts.port
        readable = httpx.URL(endpoint).host  # idna raises here, and httpx asks for it with every request
    except (ValueError, httpx.InvalidURL):
        return False
    named = _HOST.fullmatch(host) is not None and bool(readable) and "@" not in parts.netloc and "#" not in endpoint
    return named and parts.scheme in ("https", urlsplit(issuer).scheme)


def _auth_method(supported: Any) -> str:
    """In the header, as every provider must accept it (RFC 6749, 2.3.1), unless it says that it accepts the body alone."""
    posts = isinstance(supported, list) and "client_secret_basic" not in supported and "client_secret_post" in supported
    return "client_secret_post" if posts else "client_secret_basic"


def _signer(entry: Any) -> Signer | None:
    """A key of a set; None if it is of an unknown kind or curve, broken, too short to be safe, too long to check, or not for signatures."""
    if not isinstance(entry, dict):
        return None
    public = {name: value for name, value in entry.items() if name in _PUBLIC}
    if not all(isinstance(value, str) and len(value) <= _MAX_RSA_CHARS.get(name, _MAX_MEMBER_CHARS) for name, value in public.items()):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # joserfc warns of RSA keys under 2048 bits, which RFC 7518, 3.3 forbids
            key = import_key(public)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, UnsupportedAlgorithm, Warning):
        return None
    return key if isinstance(key, Signer) and key.get("use") != "enc" else None
