"""Decides about sign-ins: the target page, who is admitted, and whether the browser is the same.

Pure.
"""

import hmac
import re
import secrets

from newsintel.domain.accounts.model import Identity, SignInAttempt
from newsintel.domain.security.keys import digest_secret
from newsintel.errors import DeniedError, InvalidParameterError

HOME_PATH = "/me/page"
"""The default page after signing in, made for people."""

_LOCAL_PATH = re.compile(r"/(?![/\\])[!-~]{0,1000}")
"""One slash that no second slash or backslash follows. Browsers read a backslash as a slash, and
two slashes start another host's name."""


def choose_return_path(wanted: str | None) -> str:
    """Return the page after signing in: the path if it is on this site, else HOME_PATH."""
    return wanted if wanted and _LOCAL_PATH.fullmatch(wanted) and "\\" not in wanted else HOME_PATH


def create_attempt(provider: str, cookie: str, wanted: str | None) -> SignInAttempt:
    """Make a sign-in for the browser with this cookie. Its secrets have 256 random bits each."""
    state, verifier, nonce = (secrets.token_urlsafe(32) for _ in range(3))
    return SignInAttempt(
        provider, state, digest_secret(cookie), verifier, nonce, choose_return_path(wanted)
    )


def check_return(
    attempt: SignInAttempt | None, provider: str, state: str, cookie: str | None
) -> SignInAttempt:
    """Return the attempt if this browser started it.

    Args:
        attempt: what was stored under the state (and is deleted now); None if there was nothing.
        provider: the provider in the URL of the return.
        state: the state that the browser brought back.
        cookie: the browser's cookie, set when the sign-in started.

    Raises:
        InvalidParameterError: there is no such attempt, or it is another browser's; names `state`.
    """
    if attempt is None:
        raise InvalidParameterError(
            "state",
            "expired",
            "This sign-in was used already, or is older than 10 minutes. Start it again.",
        )
    same_state = hmac.compare_digest(digest_secret(state), digest_secret(attempt.state))
    same_browser = hmac.compare_digest(digest_secret(cookie or ""), attempt.browser)
    if not (same_state and same_browser and attempt.provider == provider):
        raise InvalidParameterError(
            "state",
            "foreign",
            "This browser did not start this sign-in. Start it again, in one browser.",
        )
    return attempt


def match_operator(identity: Identity, operators: tuple[str, ...]) -> tuple[str, ...]:
    """Return the entries of the setting OPERATORS that match a person."""
    return tuple(entry for entry in operators if entry in identity.invited_as)


def check_invited(identity: Identity, guests: tuple[str, ...]) -> None:
    """Check that a person may sign in.

    Args:
        identity: from the provider.
        guests: the setting SIGN_IN.

    Raises:
        DeniedError: the person is not in SIGN_IN: 403 not_invited.
    """
    if guests != ("anyone",) and not set(identity.invited_as) & set(guests):
        raise DeniedError(
            "not_invited",
            "The sign-in worked, but this service does not admit this account. Ask its operator.",
        )
