"""The hit path: ASGI middleware that answers repeated searches from finished pages.

It runs before the framework. It answers only what is the same for all callers: a GET or HEAD of
/articles from a caller who is not signed in and sends no invalid key, if the page is fresh or is
being renewed. It passes all other requests on. The middleware around it (request ids, hosts,
limits) applies to it as to every request.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from attrs import field, frozen

from newsintel.domain.accounts.model import AnonymousReason, Caller
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.freshness import MAX_CLOCK_SKEW_S
from newsintel.domain.search.harvest import Via
from newsintel.domain.search.query_model import Query
from newsintel.http.asgi import Asgi, HeaderLines, Receive, Scope, Send
from newsintel.http.paths import SEARCH
from newsintel.http.response.conditional import drop_body_headers, is_already_held
from newsintel.http.response.page_cache import PageCache
from newsintel.http.response.rendered_search import RenderedSearch
from newsintel.runtime.personal.recording import Recording

# Plain strings, because counting an enum member hashes it in Python code each time.
VIA_HIT, VIA_REVALIDATED = Via.HIT.value, Via.REVALIDATED.value

ServeWhileRenewing = Callable[[Query, datetime, Caller], Awaitable[bool]]


@frozen(eq=False)
class HitPath:
    """Answers hits; passes everything else on.

    Attributes:
        app: answers the rest.
        pages: the finished answers, filled by the search's route.
        serve_while_renewing: starts the renewal of an answer; returns whether the old one may be
            served now.
        record: offers a search to the history, without waiting.
        count: counts `searches`.
        now: the time of day.
    """

    _app: Asgi
    _pages: PageCache
    _serve_while_renewing: ServeWhileRenewing = field(kw_only=True)
    _record: Recording = field(kw_only=True)
    _count: Count = field(kw_only=True)
    _now: WallClock = field(kw_only=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if (
            scope["type"] == "http"
            and scope["path"] == SEARCH
            and (page := self._pages.get(scope["query_string"])) is not None
        ):
            now, caller = self._now(), scope["state"]["caller"]
            now_s = now.timestamp()
            anybody = not caller.signed_in and caller.doubt is not AnonymousReason.BAD_KEY
            if (
                scope["method"] in ("GET", "HEAD")
                and anybody
                and (via := await self._choose_via(page, caller, now_s)) is not None
            ):
                scope["state"]["route"] = SEARCH
                self._count("searches", via=via)
                lines = page.build_headers(now_s, via)
                if is_already_held(scope["headers"], page.tag):
                    await _send_response(send, 304, drop_body_headers(lines), b"")
                    return
                if scope["method"] == "HEAD":
                    await _send_response(send, 200, lines, b"")
                    return
                if page.searched is not None:
                    self._record.offer(caller, page.searched, now)
                await _send_response(send, 200, lines, page.body)
                return
        await self._app(scope, receive, send)

    async def _choose_via(self, page: RenderedSearch, caller: Caller, now_s: float) -> str | None:
        """Return how a page may answer without the route; None if it may not."""
        if page.since_s - MAX_CLOCK_SKEW_S <= now_s < page.until_s:
            return VIA_HIT
        return (
            VIA_REVALIDATED
            if await self._serve_while_renewing(page.query, page.fetched_at, caller)
            else None
        )


async def _send_response(send: Send, status: int, headers: HeaderLines, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
