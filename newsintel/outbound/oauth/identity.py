"""Reads a person's identity from the claims of an ID token and of the userinfo endpoint. Pure.

Source: OpenID Connect Core 1.0, 5.1 and 5.3.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

from newsintel.domain.accounts.model import Identity
from newsintel.errors import SignInUnavailableError

LONGEST_SUBJECT, LONGEST_NAME, LONGEST_EMAIL = 255, 200, 320
"""Maximum lengths in characters.

Sources: OpenID Connect Core 1.0, 2, for the subject; RFC 3696 and its erratum 1690 for the address
(the larger of their limits). A name should fit on a line.
"""

NAMES = ("preferred_username", "name")
EMAIL = ("email", "email_verified")


def lacks_names(claims: Mapping[str, Any]) -> bool:
    """Return whether an ID token lacks the person's name or address.

    Some providers have these only at the userinfo endpoint.
    """
    return not any(_clean_name(claims.get(name)) for name in NAMES) or not _clean_name(
        claims.get("email")
    )


def with_userinfo(claims: Mapping[str, Any], userinfo: Mapping[str, Any]) -> dict[str, Any]:
    """Add the userinfo endpoint's claims that an ID token lacks.

    An address and the claim that it is verified always come from the same place.

    Raises:
        ValueError: userinfo has another subject and must not be used (Core 5.3.2).
    """
    if not isinstance(userinfo.get("sub"), str) or userinfo["sub"] != claims.get("sub"):
        raise ValueError("userinfo is about somebody else")
    more = {
        name: userinfo[name]
        for name in NAMES
        if name in userinfo and not _clean_name(claims.get(name))
    }
    if not _clean_name(claims.get("email")):
        more |= {name: userinfo.get(name) for name in EMAIL}
    return {**claims, **more}


def identity_of(claims: Mapping[str, Any], *, any_tenant: bool = False) -> Identity:
    """Return the identity in the claims.

    SIGN_IN may name a person by subject, or by an e-mail address that the provider has verified. An
    entry with an @ is an address, and an entry without one is a subject.

    Args:
        claims: the claims; `iss` has been checked.
        any_tenant: whether the token may come from any tenant of a provider. Each tenant decides
            which addresses it has verified, so addresses then invite nobody.

    Raises:
        SignInUnavailableError: the subject is missing or invalid.
    """
    subject = claims.get("sub")
    if (
        not isinstance(subject, str)
        or not 1 <= len(subject) <= LONGEST_SUBJECT
        or not subject.isprintable()
    ):
        raise SignInUnavailableError(
            "The provider did not say who you are. Tell the operator of this service."
        )
    email = claims.get("email") if _is_true(claims.get("email_verified")) else None
    invited_as = filter(None, (_by_subject(subject), None if any_tenant else _by_email(email)))
    names = (claims.get("preferred_username"), email, claims.get("name"), subject)
    return Identity(
        str(claims["iss"]),
        subject,
        next(filter(None, map(_clean_name, names)), subject)[:LONGEST_NAME],
        tuple(invited_as),
    )


def _by_subject(subject: str) -> str | None:
    """Return SIGN_IN's entry for a subject; None for a subject that reads like an address.

    Subjects are compared character by character (Core 1.0, 2).
    """
    return None if "@" in subject else f"oidc:{subject}"


def _by_email(given: Any) -> str | None:
    """Return SIGN_IN's entry for an address, in lower case.

    Returns:
        None if there is no valid address, or if lower case would turn it into another address, as
        with the Kelvin sign.
    """
    if (
        not isinstance(given, str)
        or len(given) > LONGEST_EMAIL
        or "@" not in given
        or not (given.isascii() or given == given.lower())
    ):
        return None
    return f"oidc:{given}".lower()


def _is_true(given: Any) -> bool:
    """Return whether a value is true; some providers send the string `true`."""
    return given is True or (isinstance(given, str) and given.lower() == "true")


def _clean_name(given: Any) -> str:
    """Return a name without invisible characters; empty if it is not a string.

    Only the beginning of a text is read if it is too long for a name.
    """
    if not isinstance(given, str):
        return ""
    return "".join(
        character
        for character in given[: 2 * LONGEST_NAME]
        if unicodedata.category(character)[0] != "C"
    ).strip()
