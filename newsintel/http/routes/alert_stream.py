"""GET /me/searches/stream: what a person's saved searches match, as it happens, for an open page.

The database is asked every POLL_S, since any process may find a match. A stream ends after LIFE_S;
the browser opens it again by itself, and has to be signed in still.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from weakref import WeakSet

import trio
from attrs import define, field
from quart import Response, request

from newsintel.domain.accounts.model import Access
from newsintel.domain.alerts.delivery_model import FreshMatch
from newsintel.domain.alerts.messages import build_story
from newsintel.domain.operations.ports import Phase
from newsintel.domain.search.codec import to_json
from newsintel.errors import BusyError, UnavailableError
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.bodies.search import summarize_article
from newsintel.http.request.access import get_current_account
from newsintel.http.response.event_stream import EVENT_STREAM, HEARTBEAT, format_event
from newsintel.http.route import Route
from newsintel.http.routes.stream import HEADERS, HEARTBEAT_S
from newsintel.http.services import Services

POLL_S = 2.0
"""Pause between two looks."""

LIFE_S = 300.0
"""How long a stream lasts. A session that was ended is not used longer than this."""

OVERLAP = timedelta(seconds=30)
"""How far each look goes back behind the last one: a match gets its time before it is stored."""

MOST_A_LOOK = 100
"""Matches of one look. More are in the list of matches."""

TOLD = 4 * MOST_A_LOOK
"""Matches that are remembered, so that the overlap tells none twice."""

MOST_STREAMS = 200
"""Streams of one process; each asks the database every POLL_S. Past them an answer is 503."""

MOST_OF_PERSON = 10
"""Those of one person, such as pages in ten tabs: nobody can take the places of all others."""


def build_routes() -> tuple[Route, ...]:
    """Return the route of the stream."""
    return (
        Route(
            "/me/searches/stream",
            _StreamRoute().stream_matches,
            "What your saved searches match, as it happens: an event `match` for each story",
            {200: ref("MatchEvent")},
            need=Access.READ,
            problems=("busy",),
            media=EVENT_STREAM,
        ),
    )


@define
class _StreamRoute:
    _streams: WeakSet["MatchStream"] = field(factory=WeakSet)

    async def stream_matches(self, services: Services) -> Response:
        """Answer with the events from now on."""
        user_id = get_current_account().id
        if request.method == "HEAD":
            response = Response(b"", headers=HEADERS, content_type=EVENT_STREAM)
            del response.headers["Content-Length"]
            return response
        own = sum(stream.user_id == user_id for stream in self._streams)
        if len(self._streams) >= MOST_STREAMS or own >= MOST_OF_PERSON:
            raise BusyError("too many streams are open")
        stream = MatchStream(services, user_id, services.now())
        self._streams.add(stream)
        response = Response(stream, headers=HEADERS, content_type=EVENT_STREAM)
        response.timeout = None  # LIFE_S and the time for sending a part bound it
        return response


@define(eq=False)
class MatchStream:
    """The body of one stream, piece by piece. Nothing must be closed when a client leaves.

    Attributes:
        user_id: whose matches are told.
        since: from when on.
    """

    _services: Services
    user_id: int
    _since: datetime
    _ends_at: float = field(init=False, factory=lambda: trio.current_time() + LIFE_S)
    _told: deque[tuple[str, str]] = field(init=False, factory=lambda: deque(maxlen=TOLD))
    _ids: Iterator[int] = field(init=False, factory=lambda: count(1))
    _opened: bool = field(init=False, default=False)

    def __aiter__(self) -> "MatchStream":
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece: some events, or a heartbeat."""
        if not self._opened:
            self._opened = True
            return HEARTBEAT  # sends the head, so the client knows at once that the stream works
        quiet_at = trio.current_time() + HEARTBEAT_S
        while trio.current_time() < quiet_at:
            if trio.current_time() >= self._ends_at or self._is_stopping():
                raise StopAsyncIteration
            if events := await self._look():
                return events
            await trio.sleep(POLL_S)
        return HEARTBEAT

    def _is_stopping(self) -> bool:
        return self._services.operations.health.get_phase() is Phase.DRAINING

    async def _look(self) -> bytes:
        """Return the events of what is new; nothing while PostgreSQL is away."""
        now = self._services.now()
        try:
            found = await self._services.alerts.deliveries.list_fresh(
                self.user_id, self._since, MOST_A_LOOK
            )
        except UnavailableError:
            return b""
        self._since = max(self._since, now - OVERLAP)
        return b"".join(self._format_new(found))

    def _format_new(self, found: Sequence[FreshMatch]) -> Iterator[bytes]:
        for fresh in found:
            match = fresh.match
            key = (fresh.search_id, match.article.id if match.is_later else match.group_id)
            if key not in self._told:
                self._told.append(key)
                yield format_event("match", str(next(self._ids)), to_json(_build_body(fresh)))


def _build_body(fresh: FreshMatch) -> dict[str, Any]:
    return {
        "search": {"id": fresh.search_id, "name": fresh.search_name},
        "article": build_story(fresh.match, summarize_article),
    }
