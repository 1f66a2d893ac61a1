"""Access control: the checks before every route, and the caller for the routes."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from quart import request
from werkzeug.datastructures import Headers

from newsintel.domain.accounts.model import Access, Account, AnonymousReason, Caller
from newsintel.errors import DeniedError, RateLimitedError, SignInUnavailableError
from newsintel.runtime.limits.lookups import WINDOW_S

CHALLENGE = 'Bearer realm="newsintel"'
"""RFC 6750, 3."""


def get_current_caller() -> Caller:
    """Return the caller of the current request."""
    found: Caller = request.scope["state"]["caller"]
    return found


def get_current_account() -> Account:
    """Return the account of the current request, on a route that needs one."""
    found = get_current_caller().account
    if found is None:
        raise AssertionError("a route without a need asked for the account")
    return found


def check_access(caller: Caller, need: Access | None, metadata_url: str | None = None) -> None:
    """Let a caller pass to a route, or raise.

    Args:
        caller: the caller of the request.
        need: the access that the route requires; None = the route is public.
        metadata_url: where a refused client learns how to authenticate (RFC 9728, 5.1).

    Raises:
        DeniedError: 401 without a valid key or session, 403 if the key's scope is not enough.
        SignInUnavailableError: an account is needed, and the caller cannot be identified now.
        RateLimitedError: an account is needed, and the client's address has sent too many invalid
            keys or sessions.
    """
    if caller.doubt is AnonymousReason.BAD_KEY:
        more = f', resource_metadata="{metadata_url}"' if metadata_url else ""
        raise DeniedError(
            "unauthenticated",
            "Invalid API key: unknown, expired or revoked.",
            f'{CHALLENGE}, error="invalid_token"{more}',
        )
    if need is None:
        return
    if caller.doubt is AnonymousReason.UNKNOWN:
        raise SignInUnavailableError("We cannot identify you right now. Public routes still work.")
    if caller.doubt is AnonymousReason.THROTTLED:
        raise RateLimitedError(WINDOW_S)
    if caller.access is None:
        raise DeniedError("unauthenticated", "Sign in first, or send a key.", CHALLENGE)
    if caller.access.covers(need):
        return
    if need is Access.SESSION:
        raise DeniedError("session_required", "A key cannot do this: sign in with a browser.")
    raise DeniedError(
        "insufficient_scope",
        "This key may only read.",
        f'{CHALLENGE}, error="insufficient_scope", scope="write"',
    )


def check_site(headers: Mapping[str, str] | Headers, own_origin: str) -> None:
    """Refuse a change that a page of another site may have caused (CSRF).

    A browser names the origin of a request in Sec-Fetch-Site (Fetch Metadata); an older one in
    Origin. Pages can set neither. Requests with a key are not checked: a browser sends cookies and
    the password for a proxy by itself, but never a key.

    Raises:
        DeniedError: 403 cross_site.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    ours = site == "same-origin" if site is not None else origin == own_origin
    marked = site is not None or origin is not None or "Cookie" in headers
    if marked and not ours:
        raise DeniedError("cross_site", "This change did not come from a page of this service.")


def format_origin(url: str) -> str:
    """Return a URL's origin as a browser writes it in the Origin header (RFC 6454, 6.2)."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, default) else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"
