"""ID tokens: who somebody is, signed by their provider for us and for this one sign-in (OpenID Connect Core 1.0, 3.1.3.7). Pure."""

import hmac
from datetime import datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from newsintel.outbound.oauth.discovery import TENANT, issuer_of_tenant

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
"""Signatures by a private key alone: with `none` or a shared secret anybody who knows our client secret could sign."""

LEEWAY_S = 60
"""By which clocks may differ."""

MAX_TOKEN_CHARS = 32 * 1024
"""Entra's with 200 groups, after which it leaves them out, have 12,000; JSON of this length takes under 2 ms to read."""

OTHER_NAMES = {"https://accounts.google.com": ("accounts.google.com",)}
"""What Google's ID tokens may call their issuer beside its name ("Google OpenID Connect API Reference", `issuer`)."""


class UnknownSignerError(ValueError):
    """The key that signed a token is not among those at hand."""


def read_id_token(id_token: Any, keys: KeySet, *, issuer: str, client_id: str, nonce: str, now: datetime) -> dict[str, Any]:
    """The claims of an ID token.

    Args:
        id_token: as it came.
        keys: the issuer's.
        issuer: who must have made it, as the discovery document has it.
        client_id: whom it must be for.
        nonce: what it must hold, or it was made for another sign-in.
        now: it must not have expired by then.

    Raises:
        UnknownSignerError: none of the keys is the one that its header names, or where it names none, the one that signed it.
        JoseError: its signature or a claim does not hold.
        ValueError: it is no token.
    """
    if not isinstance(id_token, str) or not id_token.isascii() or len(id_token) > MAX_TOKEN_CHARS:
        raise ValueError("there is no ID token")
    claims, key = _opened(id_token, keys)
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
    if TENANT in issuer and issuer_of_tenant(str(key.get("issuer", "")), claims.get("tid")) != expected:
        raise ValueError("its key signs for other tenants")
    return claims | {"iss": expected}


def _opened(id_token: str, keys: KeySet) -> tuple[dict[str, Any], Any]:
    """A token's claims, and the key that verified its signature. A set's only key may lack the id that tokens name."""
    kid = jws.extract_compact(id_token.encode()).headers().get("kid")
    candidates = [key for key in keys.keys if kid is None or key.kid in (kid, None)]
    failure: Exception = UnknownSignerError("no key at hand is its signer's")
    for key in candidates:
        try:
            return jwt.decode(id_token, key, algorithms=ALGORITHMS).claims, key
        except (JoseError, ValueError) as error:
            failure = UnknownSignerError() if kid is None else error
    raise failure
