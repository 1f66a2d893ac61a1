"""GET /articles/stream: the search of GET /articles as server-sent events, as the sources answer.

The search itself is that of /articles: the same flight, limits and ranking. A client that does not
read delays only itself: what it has not read stays in the flight, and what is outdated when it
reads again is not sent. The stream ends after `done` or `problem`.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import trio
from attrs import define, field, frozen
from quart import Response, request

from newsintel.config.settings import Settings
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.harvest import Answer, Reply
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.bodies.search import summarize_outcome
from newsintel.http.paths import STREAM
from newsintel.http.response.answers import answer_empty
from newsintel.http.response.cache_headers import VARY, classify_reply
from newsintel.http.response.errors import describe_error
from newsintel.http.response.event_stream import EVENT_STREAM, HEARTBEAT, format_event
from newsintel.http.response.page_cache import PageCache
from newsintel.http.response.problems import PROBLEMS, build_document
from newsintel.http.route import Route
from newsintel.http.routes.articles import SEARCH_PROBLEMS
from newsintel.http.routes.finished_search import describe_failure, finish_search, record_search
from newsintel.http.routes.search_request import (
    SearchParameters,
    SearchRequest,
    declare_parameters,
    read_search,
)
from newsintel.http.services import Services
from newsintel.runtime.search.flight import SourceReported
from newsintel.runtime.search.running import RunningSearch, Step
from newsintel.runtime.turns import run_in_turns

HEARTBEAT_S = 15.0
"""Seconds without an event after which a comment is sent (contract). Proxies and load balancers cut
connections that are idle for 60 s (nginx's proxy_read_timeout, the ALB's idle timeout)."""

LAST_ID = "end"
"""The id of `done` and `problem`. A client that reconnects with it has everything."""

HEADERS = {
    "Cache-Control": "no-store",
    "Vary": VARY,
    "X-Accel-Buffering": "no",  # nginx would hold the events back until its buffer is full
}


def build_routes(settings: Settings, pages: PageCache) -> tuple[Route, ...]:
    """Return the route of the stream. It shares the finished pages of GET /articles."""
    return (
        Route(
            STREAM,
            _StreamRoute(pages).stream_search,
            "Search every source at once, and get each event as it happens: `source` with a "
            "source's report, `merge` with the page as ranked so far, and last `done` with the "
            "answer of GET /articles, or `problem`. A 204 answers a client that reconnects after "
            "the last event.",
            {200: ref("StreamEvent"), 204: None},
            takes=declare_parameters(tuple(settings.source)),
            problems=SEARCH_PROBLEMS,
            media=EVENT_STREAM,
        ),
    )


@frozen
class _StreamRoute:
    _pages: PageCache

    async def stream_search(self, services: Services, given: SearchParameters) -> Response:
        """Answer with the events of a search.

        What refuses a search before it begins is answered with its status, as by GET /articles: to
        such a client an event would look like a stream that works.
        """
        asked = await read_search(services, given)
        if request.headers.get("Last-Event-ID") == LAST_ID:
            # EventSource reconnects whenever a stream ends; a 204 makes it stop (WHATWG HTML, 9.2).
            return answer_empty()
        if request.method == "HEAD":  # needs no search: the headers of all streams are equal
            response = Response(b"", headers=HEADERS, content_type=EVENT_STREAM)
            del response.headers["Content-Length"]
            return response
        begun = await services.search.desk.begin_search(asked.query, asked.caller)
        stream = SearchStream(services, self._pages, asked, begun, request.scope)
        response = Response(stream, headers=HEADERS, content_type=EVENT_STREAM)
        response.timeout = None  # the flight's deadline and the time for sending a part bound it
        return response


@define(eq=False)
class SearchStream:
    """The body of one stream, piece by piece.

    This is not a generator, so nothing must be closed when a client leaves. The request's context
    is gone while it runs.

    Attributes:
        pages: the finished pages, shared with GET /articles.
        begun: the reply, if there is one already, else the search that runs.
        scope: of the request.
    """

    _services: Services
    _pages: PageCache
    _asked: SearchRequest
    _begun: Reply | RunningSearch
    _scope: Any
    _ids: Iterator[int] = field(init=False, factory=lambda: count(1))
    _opened: bool = field(init=False, default=False)
    _ended: bool = field(init=False, default=False)

    def __aiter__(self) -> "SearchStream":
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece: some events, or a heartbeat."""
        if self._ended:
            raise StopAsyncIteration
        try:
            return await self._make_piece()
        except Exception as error:  # noqa: BLE001 - the status is sent, so a bug is an event too
            told = describe_error(error, self._scope["path"])
            return self._end_with_problem(told.code, told.detail)

    async def _make_piece(self) -> bytes:
        if isinstance(self._begun, Reply):
            return await self._end_with_reply(self._begun)
        if not self._opened:
            self._opened = True
            return HEARTBEAT  # sends the head, so the client knows at once that the stream works
        step: Step | None = None
        with trio.move_on_after(HEARTBEAT_S):
            step = await self._begun.wait_for_step()
        if step is None:
            return HEARTBEAT
        events = b"".join(map(self._format_report, step.reports))
        if step.reply is not None:
            return events + await self._end_with_reply(step.reply)
        return events + await self._format_merge(step.reports)

    def _format_report(self, report: SourceReported) -> bytes:
        body = {"name": report.outcome.source} | summarize_outcome(report.outcome)
        return self._format("source", to_json(body))

    async def _format_merge(self, reports: Sequence[SourceReported]) -> bytes:
        """Rank what the sources have sent so far; empty if that would tell nothing new.

        After the last source the answer itself follows, and is not ranked twice.
        """
        found = reports[-1].found
        last = len(found.harvest.outcomes) == len(found.harvest.query.sources)
        if last or not any(report.outcome.articles for report in reports):
            return b""
        body = await self._render(await run_in_turns(found.rank()))
        return self._format("merge", to_json({name: body[name] for name in ("articles", "total")}))

    async def _end_with_reply(self, reply: Reply) -> bytes:
        services, asked = self._services, self._asked
        services.count("searches", via=classify_reply(reply))
        if reply.answer.failed:
            failed = await describe_failure(services, asked, reply.answer)
            return self._end_with_problem(
                failed.code, PROBLEMS[failed.code].meaning, sources=failed.sources
            )
        rendered = await finish_search(services, self._pages, asked, reply.answer)
        record_search(services, asked, rendered)
        self._ended = True
        return format_event("done", LAST_ID, rendered.body)

    def _end_with_problem(self, code: str, detail: str, **more: Any) -> bytes:
        self._ended = True
        state = self._scope["state"]
        state["problem"] = code  # for the access log
        document = build_document(
            code, detail, path=self._scope["path"], request_id=state["request_id"], **more
        )
        return format_event("problem", LAST_ID, to_json(document))

    async def _render(self, answer: Answer) -> dict[str, Any]:
        return await run_in_turns(self._asked.render_in_slices(answer))

    def _format(self, name: str, data: bytes) -> bytes:
        return format_event(name, str(next(self._ids)), data)
