"""Who a person is by the claims of an ID token and of the userinfo endpoint (OpenID Connect Core 1.0, 5.1 and 5.3). Pure."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from newsintel.domain.accounts.model import Identity
from newsintel.errors import SignInUnavailableError

LONGEST_SUBJECT, LONGEST_NAME, LONGEST_EMAIL = 255, 200, 320
"""Characters: OpenID Connect Core 1.0, 2; a line; RFC 3696's erratum 1690, at its most generous."""

NAMES = ("preferred_username", "name")
EMAIL = ("email", "email_verified")


def lacks_names(claims: Mapping[str, Any]) -> bool:
    """True if an ID token leaves out what a person is called or their address: some providers tell that at the userinfo endpoint alone."""
    return not any(_name(claims.get(name)) for name in NAMES) or not _name(claims.get("email"))


def with_userinfo(claims: Mapping[str, Any], userinfo: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of an ID token, filled up from the userinfo endpoint. An address and whether it is verified stay together.

    Raises:
        ValueError: it is about somebody else, and must not be used (Core 5.3.2).
    """
    if not isinstance(userinfo.get("sub"), str) or userinfo["sub"] != claims.get("sub"):
        raise ValueError("userinfo is about somebody else")
    more = {name: userinfo[name] for name in NAMES if name in userinfo and not _name(claims.get(name))}
    if not _name(claims.get("email")):
        more |= {name: userinfo.get(name) for name in EMAIL}
    return {**claims, **more}


def identity_of(claims: Mapping[str, Any], *, any_tenant: bool = False) -> Identity:
    """Who the claims are about. SIGN_IN may name them by subject, and by an e-mail address that the provider has verified.

    One is never taken for the other: what holds an @ is an address, and what holds none is a subject.

    Args:
        claims: `iss` has been checked.
        any_tenant: whether any tenant of a provider may make them: then each decides for itself which addresses it has verified, and
            nobody is invited by one.

    Raises:
        SignInUnavailableError: the subject is none.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise SignInUnavailableError("The provider did not say who you are. Tell the operator of this service.")
    email = claims.get("email") if _is_true(claims.get("email_verified")) else None
    invited_as = filter(None, (_by_subject(subject), None if any_tenant else _by_email(email)))
    names = (claims.get("preferred_username"), email, claims.get("name"), subject)
    return Identity(str(claims["iss"]), subject, next(filter(None, map(_name, names)), subject)[:LONGEST_NAME], tuple(invited_as))


def _by_subject(subject: str) -> str | None:
    """What SIGN_IN calls a subject, which is compared character by character (Core 1.0, 2); None for one that reads like an address."""
    return None if "@" in subject else f"oidc:{subject}"


def _by_email(given: Any) -> str | None:
    """What SIGN_IN calls an address, in lower case; None for what would become another one by that, as with the Kelvin sign."""
    if not isinstance(given, str) or len(given) > LONGEST_EMAIL or "@" not in given or not (given.isascii() or given == given.lower()):
        return None
    return f"oidc:{given}".lower()


def _is_true(given: Any) -> bool:
    """`true`, also as a string, as some providers write it."""
    return given is True or (isinstance(given, str) and given.lower() == "true")


def _name(given: Any) -> str:
    """A name without what cannot be seen; empty if it is none. Of a text too long for a name only the beginning is read."""
    if not isinstance(given, str):
        return ""
    return "".join(character for character in given[: 2 * LONGEST_NAME] if unicodedata.category(character)[0] != "C").strip()
