"""ID tokens: who somebody is, signed by their provider for us and for this one sign-in (OpenID Connect Core 1.0, 3.1.3.7). Pure."""

import hmac
import unicodedata
from datetime import datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import KeySet

from newsintel.account_model import Identity
from newsintel.errors import SignInUnavailableError

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by a private key alone: with `none` or a shared secret anybody who knows our client secret could sign."""

LEEWAY_S = 60
"""By which clocks may differ."""

LONGEST_SUBJECT, LONGEST_NAME = 255, 200


class UnknownSignerError(ValueError):
    """The key that signed a token is not among those at hand."""


def read_id_token(id_token: Any, keys: KeySet, *, issuer: str, client_id: str, nonce: str, now: datetime) -> dict[str, Any]:
    """The claims of an ID token.

    Args:
        id_token: as it came.
        keys: the issuer's.
        issuer: who must have made it.
        client_id: whom it must be for.
        nonce: what it must hold, or it was made for another sign-in.
        now: it must not have expired by then.

    Raises:
        UnknownSignerError: none of the keys is the one that its header names.
        JoseError: its signature or a claim does not hold.
        ValueError: it is no token.
    """
    if not isinstance(id_token, str) or not id_token.isascii():
        raise ValueError("there is no ID token")
    kid = jws.extract_compact(id_token.encode()).headers().get("kid")
    if kid is not None and kid not in {key.kid for key in keys.keys}:
        raise UnknownSignerError
    claims = jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
    jwt.JWTClaimsRegistry(
        now=lambda: int(now.timestamp()),
        leeway=LEEWAY_S,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
    ).validate(claims)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise ValueError("it was made for another sign-in")
    if claims.get("azp", client_id) != client_id:
        raise ValueError("it was made for another party")
    return claims


def identity_of(issuer: str, claims: dict[str, Any]) -> Identity:
    """Who the claims are about. By SIGN_IN they may be called by subject, and by an e-mail address that the provider has verified.

    Raises:
        SignInUnavailableError: the subject is none.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise SignInUnavailableError("The provider did not say who you are. Tell whoever runs this.")
    email = claims.get("email") if claims.get("email_verified") is True else None
    invited_as = [f"oidc:{one}".lower() for one in (subject, email) if isinstance(one, str) and one]
    names = (claims.get("preferred_username"), email, claims.get("name"), subject)
    return Identity(issuer, subject, next(filter(None, map(_name, names)), subject)[:LONGEST_NAME], tuple(invited_as))


def _name(given: Any) -> str:
    """A name without what cannot be seen; empty if it is none."""
    if not isinstance(given, str):
        return ""
    return "".join(character for character in given if unicodedata.category(character)[0] != "C").strip()
