"""Verifies ID tokens, with which a provider signs for one sign-in who the person is. Pure.

The checks follow OpenID Connect Core 1.0, 3.1.3.7.
"""

import hmac
from datetime import datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from newsintel.outbound.oauth.discovery import TENANT, issuer_of_tenant

ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
]
"""Only signatures with a private key.

With a shared secret, anybody who knows our client secret could sign; with `none`, anybody at all.
"""

LEEWAY_S = 60
"""Maximum difference between the provider's clock and ours."""

MAX_TOKEN_CHARS = 32 * 1024
"""Maximum length of a token; JSON of this length is parsed in under 2 ms.

Entra's tokens with 200 groups have 12,000 characters; Entra omits the groups if there are more.
"""

OTHER_NAMES = {"https://accounts.google.com": ("accounts.google.com",)}
"""Other names of an issuer in Google's ID tokens.

Source: "Google OpenID Connect API Reference", `issuer`.
"""


class UnknownSignerError(ValueError):
    """The key that signed a token is not among the known keys."""


def read_id_token(
    id_token: Any, keys: KeySet, *, issuer: str, client_id: str, nonce: str, now: datetime
) -> dict[str, Any]:
    """Verify an ID token and return its claims.

    Args:
        id_token: the token, unchecked.
        keys: the issuer's keys.
        issuer: the required issuer, as the discovery document names it.
        client_id: the required audience.
        nonce: the required nonce; another one belongs to another sign-in.
        now: the time at which the token must not have expired.

    Raises:
        UnknownSignerError: none of the keys has the id in the token's header; or the header names
            none and none of the keys verifies the signature.
        JoseError: the signature or a claim is invalid.
        ValueError: it is not a token; it was made for another sign-in or another party; or its key
            must not sign for its tenant.
    """
    if not isinstance(id_token, str) or not id_token.isascii() or len(id_token) > MAX_TOKEN_CHARS:
        raise ValueError("there is no ID token")
    claims, key = _verify_signature(id_token, keys)
    expected = issuer_of_tenant(issuer, claims.get("tid"))
    jwt.JWTClaimsRegistry(
        now=lambda: int(now.timestamp()),
        leeway=LEEWAY_S,
        iss={"essential": True, "values": [expected, *OTHER_NAMES.get(expected, ())]},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
    ).validate(claims)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise ValueError("it was made for another sign-in")
    if claims.get("azp", client_id) != client_id:
        raise ValueError("it was made for another party")
    if (
        TENANT in issuer
        and issuer_of_tenant(str(key.get("issuer", "")), claims.get("tid")) != expected
    ):
        raise ValueError("its key signs for other tenants")
    return claims | {"iss": expected}


def _verify_signature(id_token: str, keys: KeySet) -> tuple[dict[str, Any], Any]:
    """Return a token's claims and the key that verified its signature.

    A key without an id is tried for every token: a set's only key may have none.
    """
    header = jws.extract_compact(id_token.encode()).headers()
    if "crit" in header:  # the library would fail on values of other types than a list of texts
        raise ValueError("it requires an extension, and we know none (RFC 7515, 4.1.11)")
    kid = header.get("kid")
    candidates = [key for key in keys.keys if kid is None or key.kid in (kid, None)]
    failure: Exception = UnknownSignerError("no key at hand is its signer's")
    for key in candidates:
        try:
            return jwt.decode(id_token, key, algorithms=ALGORITHMS).claims, key
        except (JoseError, ValueError) as error:
            failure = UnknownSignerError() if kid is None else error
    raise failure
