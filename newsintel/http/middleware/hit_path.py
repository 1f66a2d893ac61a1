"""The hit path: answers repeated requests from finished bytes, without the framework.

`Hits` finds finished answers and builds responses from them. Two ways lead to it and give the same
answers: `HitPath`, which is ASGI middleware, and the wire path, which skips the parser too. Only
what is the same for all callers is answered so: a GET or HEAD from a caller who is not signed in
and sends no invalid key, of a search whose page is fresh or is being renewed, of an answer that
never changes, or of one that a route gave some seconds ago.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from attrs import field, frozen

from newsintel.domain.accounts.model import AnonymousReason, Caller
from newsintel.domain.ports import Count, WallClock
from newsintel.domain.search.harvest import Via
from newsintel.domain.search.query_model import Query
from newsintel.http.asgi import Asgi, HeaderLines, Receive, Scope, Send
from newsintel.http.response.conditional import drop_body_headers, is_already_held
from newsintel.http.response.fixed_answer import FixedAnswer
from newsintel.http.response.kept_answer import Kept, KeptAnswer
from newsintel.http.response.packing import choose_form
from newsintel.http.response.page_cache import PageCache
from newsintel.http.response.rendered_search import RenderedSearch
from newsintel.runtime.personal.recording import Recording

# Plain strings, because counting an enum member hashes it in Python code each time.
VIA_HIT, VIA_REVALIDATED = Via.HIT.value, Via.REVALIDATED.value

ServeWhileRenewing = Callable[[Query, datetime, Caller], Awaitable[bool]]

Finished = RenderedSearch | FixedAnswer | KeptAnswer


class HitAnswer(NamedTuple):
    """A whole response, without the header lines of the middleware."""

    status: int
    lines: HeaderLines
    body: bytes


@frozen(eq=False)
class Hits:
    """Finds finished answers and makes responses from them. It never waits.

    Attributes:
        pages: the finished searches by path, filled by the routes of these paths.
        fixed: the answers that never change, by path.
        kept: the answers of the last seconds, filled by the routes.
        record: offers a search to the history, without waiting.
        count: counts `searches`.
    """

    _pages: Mapping[str, PageCache]
    _fixed: Mapping[str, FixedAnswer]
    _kept: Kept = field(kw_only=True)
    _record: Recording = field(kw_only=True)
    _count: Count = field(kw_only=True)

    def find(self, scope: Scope) -> Finished | None:
        """Return the finished answer to a request, fresh or not; None if there is none."""
        if scope["method"] not in ("GET", "HEAD"):
            return None
        path, query_string = scope["path"], scope["query_string"]
        if path in self._pages and (page := self._pages[path].get(query_string)) is not None:
            return page
        found: Finished | None = self._kept.get((path, query_string))
        if found is None and not query_string:  # the routes of fixed answers take none
            found = self._fixed.get(path)
        return None if found is None or _has_length(scope) else found

    def answer(self, found: Finished, scope: Scope, now: datetime, via: str) -> HitAnswer:
        """Answer a request, count the search and offer it to the history.

        Args:
            found: the finished answer.
            scope: of the request; its state holds the caller and gets the route.
            now: the time of day.
            via: how a search is answered, a `Via`.
        """
        if found.packed is not None:
            found = choose_form(found, scope["headers"])
        if found.policy is not None:
            scope["state"]["policy"] = found.policy
        if isinstance(found, KeptAnswer):
            scope["state"]["route"] = found.route
            return _finish(scope, found.build_headers(now.timestamp(), hit=True), found)
        scope["state"]["route"] = scope["path"]
        if isinstance(found, FixedAnswer):
            return _finish(scope, found.build_headers(), found)
        self._count("searches", via=via)
        answer = _finish(scope, found.build_headers(now.timestamp(), via), found)
        if answer.status == 200 and found.searched is not None and scope["method"] == "GET":
            self._record.offer(scope["state"]["caller"], found.searched, now)
        return answer


def _has_length(scope: Scope) -> bool:
    return any(name == b"content-length" for name, _ in scope["headers"])


def _finish(scope: Scope, lines: HeaderLines, found: Finished) -> HitAnswer:
    if is_already_held(scope["headers"], found.tag):
        return HitAnswer(304, drop_body_headers(lines), b"")
    return HitAnswer(200, lines, b"" if scope["method"] == "HEAD" else found.body)


@frozen(eq=False)
class HitPath:
    """ASGI middleware: answers hits; passes everything else on.

    The middleware around it (request ids, hosts, limits) applies to it as to every request.

    Attributes:
        app: answers the rest.
        hits: the finished answers.
        serve_while_renewing: starts the renewal of an answer; returns whether the old one may be
            served now.
        now: the time of day.
    """

    _app: Asgi
    _hits: Hits
    _serve_while_renewing: ServeWhileRenewing = field(kw_only=True)
    _now: WallClock = field(kw_only=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and (found := self._hits.find(scope)) is not None:
            now, caller = self._now(), scope["state"]["caller"]
            anybody = not caller.signed_in and caller.doubt is not AnonymousReason.BAD_KEY
            if anybody and (via := await self._choose_via(found, caller, now)) is not None:
                await _send_answer(send, self._hits.answer(found, scope, now, via))
                return
        await self._app(scope, receive, send)

    async def _choose_via(self, found: Finished, caller: Caller, now: datetime) -> str | None:
        """Return how an answer may be sent without the route; None if it may not."""
        if found.is_fresh(now.timestamp()):
            return VIA_HIT
        if not isinstance(found, RenderedSearch):
            return None  # the route asks Redis or the stores again
        renewing = await self._serve_while_renewing(found.query, found.fetched_at, caller)
        return VIA_REVALIDATED if renewing else None


async def _send_answer(send: Send, answer: HitAnswer) -> None:
    status, lines, body = answer
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body, "more_body": False})
