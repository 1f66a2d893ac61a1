"""What is decided about signing in: where it may lead, who is let in, and whether a browser that comes back is the one that left. Pure."""

import hmac
import re
import secrets

from newsintel.domain.accounts.model import Attempt, Identity
from newsintel.domain.security.keys import digest
from newsintel.errors import DeniedError, InvalidParameterError

HOME = "/me/page"
"""Where signing in leads by itself: a page for people."""

_LOCAL_PATH = re.compile(r"/(?![/\\])[!-~]{0,1000}")
"""One slash and then neither a second one nor a backslash, which browsers read as one: else it would be another host's address."""


def local_path(wanted: str | None) -> str:
    """Where to go after signing in: a path of ours as it is, anything else HOME."""
    return wanted if wanted and _LOCAL_PATH.fullmatch(wanted) and "\\" not in wanted else HOME


def new_attempt(provider: str, cookie: str, wanted: str | None) -> Attempt:
    """A sign-in for the browser that holds a cookie; everything that must not be foreseen in it has 256 random bits."""
    state, verifier, nonce = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(provider, state, digest(cookie), verifier, nonce, local_path(wanted))


def check_return(attempt: Attempt | None, provider: str, state: str, cookie: str | None) -> Attempt:
    """The attempt that a browser comes back from, if it is that of this browser.

    Args:
        attempt: what was kept under the state, and is no longer; None if there was nothing.
        provider: by whose address it came back.
        state: as it came back.
        cookie: the browser's own, set when it left.

    Raises:
        InvalidParameterError: naming `state`.
    """
    if attempt is None:
        raise InvalidParameterError("state", "expired", "This sign-in was used already, or is older than 10 minutes. Start it again.")
    same_state = hmac.compare_digest(digest(state), digest(attempt.state))
    same_browser = hmac.compare_digest(digest(cookie or ""), attempt.browser)
    if not (same_state and same_browser and attempt.provider == provider):
        raise InvalidParameterError("state", "foreign", "This browser did not start this sign-in. Start it again, in one browser.")
    return attempt


def check_invited(identity: Identity, guests: tuple[str, ...]) -> None:
    """Let somebody in, or raise.

    Args:
        identity: as their provider tells.
        guests: the setting SIGN_IN.

    Raises:
        DeniedError: 403 not_invited.
    """
    if guests != ("anyone",) and not set(identity.invited_as) & set(guests):
        raise DeniedError("not_invited", "You are who you say, but this service does not let that account in. Ask whoever runs it.")
