"""Rate limits per person: counts every request, reports in headers, answers 429 over the limit.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10: a policy's quota and window, the
remaining calls and the seconds until the quota resets. A request with a call that is already leased
passes without waiting.
"""

from newsintel.domain.accounts.model import Caller
from newsintel.errors import RateLimitedError
from newsintel.http.asgi import Asgi, HeaderLines, Receive, Scope, Send
from newsintel.http.paths import (
    DESCRIPTION,
    HEALTH,
    MAIL_LINKS,
    METRICS,
    PROBLEM_PAGES,
    READY,
    SEARCHES,
    STATIC,
)
from newsintel.http.response.refusal import Refusals
from newsintel.runtime.limits.limiter import Limiter

EXEMPT_PATHS = frozenset({HEALTH, READY, METRICS, DESCRIPTION, "/docs", "/favicon.ico"})
"""Paths that platforms probe, often from one IP address for all users, and paths that explain the
service to callers over the limit."""

EXEMPT_PREFIXES = (PROBLEM_PAGES, "/docs/", STATIC, *MAIL_LINKS.values())
"""Prefixes of further exempt paths. The first page that a browser loads also loads its parts. A
mail provider follows links for all its users from a few addresses."""


class RateLimits:
    """ASGI middleware inside Identify: refuses requests of a person over the limit."""

    def __init__(
        self, app: Asgi, requests: Limiter, misses: Limiter | None, refusals: Refusals
    ) -> None:
        self._app = app
        self._refusals = refusals
        self._requests = requests
        self._misses = misses
        self._policy = _format_policy(requests)
        self._both = self._policy + (b", " + _format_policy(misses) if misses else b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request and pass it on, or answer 429."""
        if scope["type"] != "http" or is_exempt(scope["path"]):
            await self._app(scope, receive, send)
            return
        caller: Caller = scope["state"]["caller"]
        try:
            lease = await self._requests.take(caller.person)
        except RateLimitedError as error:
            head = [
                *self._build_headers(scope["path"], caller.person, 0),
                (b"retry-after", b"%d" % error.retry_after_s),
            ]
            await self._refusals.send(scope, send, "rate_limited", head)
            return
        remaining = lease.remaining

        async def sending(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                head = self._build_headers(scope["path"], caller.person, remaining)
                message = {**message, "headers": [*message["headers"], *head]}  # type: ignore[misc]
            await send(message)

        await self._app(scope, receive, sending)

    def take_leased(self, scope: Scope) -> HeaderLines | None:
        """Count a request without waiting.

        Returns:
            The header lines for its response. None = the limits must be asked, or refuse the
            request; nothing was counted.
        """
        if is_exempt(scope["path"]):
            return []
        person = scope["state"]["caller"].person
        lease = self._requests.get_lease(person)
        return self._build_headers(scope["path"], person, lease.remaining) if lease.take() else None

    def _build_headers(self, path: str, person: str, remaining: int) -> HeaderLines:
        """Return the headers. The state of the limit of misses is that after the request."""
        state = b'"search";r=%d;t=%d' % (remaining, self._requests.seconds_to_reset())
        if self._misses is None or path not in SEARCHES:
            return [(b"ratelimit-policy", self._policy), (b"ratelimit", state)]
        state += b', "miss";r=%d;t=%d' % (
            self._misses.get_lease(person).remaining,
            self._misses.seconds_to_reset(),
        )
        return [(b"ratelimit-policy", self._both), (b"ratelimit", state)]


def is_exempt(path: str) -> bool:
    """Whether requests for a path are not counted."""
    return path in EXEMPT_PATHS or path.startswith(EXEMPT_PREFIXES)


def _format_policy(limiter: Limiter) -> bytes:
    return b'"%s";q=%d;w=%d' % (
        limiter.policy.encode(),
        limiter.quota.calls,
        limiter.quota.window_s,
    )
