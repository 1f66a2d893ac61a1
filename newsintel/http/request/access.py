"""Who may do what: the checks that stand before every route, and the caller for those behind them."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from quart import request
from werkzeug.datastructures import Headers

from newsintel.domain.accounts.model import Access, Account, Caller, Doubt
from newsintel.errors import DeniedError, RateLimitedError, SignInUnavailableError
from newsintel.runtime.limits.lookups import WINDOW_S

CHALLENGE = 'Bearer realm="newsintel"'
"""RFC 6750, 3."""


def caller() -> Caller:
    """Whoever sent the current request."""
    found: Caller = request.scope["state"]["caller"]
    return found


def account() -> Account:
    """The account that the current request speaks for, on a route that needs one."""
    found = caller().account
    if found is None:
        raise AssertionError("a route without a need asked for the account")
    return found


def admit(caller: Caller, need: Access | None) -> None:
    """Let a caller through to a route, or raise.

    Args:
        caller: who asks.
        need: what access the route takes at least; None = anybody's.

    Raises:
        DeniedError: 401 without a good key or session, 403 where the key's scope is not enough.
        SignInUnavailableError: an account is needed, and who is asking cannot be found out now.
        RateLimitedError: an account is needed, and the address has shown too many keys or sessions that are no good.
    """
    if caller.doubt is Doubt.BAD_KEY:
        raise DeniedError("unauthenticated", "This key is not good: unknown, expired or revoked.", f'{CHALLENGE}, error="invalid_token"')
    if need is None:
        return
    if caller.doubt is Doubt.UNKNOWN:
        raise SignInUnavailableError("Who is asking cannot be found out right now; what is public still works.")
    if caller.doubt is Doubt.THROTTLED:
        raise RateLimitedError(WINDOW_S)
    if caller.access is None:
        raise DeniedError("unauthenticated", "Sign in first, or send a key.", CHALLENGE)
    if caller.access.covers(need):
        return
    if need is Access.SESSION:
        raise DeniedError("session_required", "A key may not do this: sign in with a browser.")
    raise DeniedError("insufficient_scope", "This key may only read.", f'{CHALLENGE}, error="insufficient_scope", scope="write"')


def check_site(headers: Mapping[str, str] | Headers, own_origin: str) -> None:
    """Refuse a change that another site's page may have had a browser ask for.

    A browser says where a request comes from by Sec-Fetch-Site (Fetch Metadata) or, if it is older, by Origin; neither can be set by a
    page. Not for requests that show a key: no browser sends one by itself, as it does cookies, and the password of a proxy in front.

    Raises:
        DeniedError: 403 cross_site.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    ours = site == "same-origin" if site is not None else origin == own_origin
    marked = site is not None or origin is not None or "Cookie" in headers
    if marked and not ours:
        raise DeniedError("cross_site", "This change did not come from a page of this service.")


def origin_of(url: str) -> str:
    """A URL's origin as a browser writes it in the Origin header (RFC 6454, 6.2)."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, default) else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"
