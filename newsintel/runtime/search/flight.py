"""A flight: one search in the air, and all who wait for it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import trio
from attrs import field, frozen

from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.merging import Grouped
from newsintel.domain.search.outcome import ANYBODY, Asker, FetchOutcome
from newsintel.domain.search.query_model import Query
from newsintel.errors import NewsIntelError
from newsintel.runtime.telemetry.logs import request_context


@frozen
class SourceReported:
    """A flight's event: one source has given its outcome. `found` is what all outcomes so far have brought."""

    outcome: FetchOutcome
    found: Grouped


@frozen
class StaleFound:
    """A flight's event, at most one: an older answer, from another process, that is given at once while this flight renews it."""

    answer: Answer


@frozen
class Landed:
    """A flight's last event: the answer. `asked` tells whether any source was asked for it."""

    answer: Answer
    asked: bool


@frozen
class Failed:
    """A flight's last event: it could not land. Every waiter raises the error."""

    error: NewsIntelError


FlightEvent = SourceReported | StaleFound | Landed | Failed


class Flight:
    """An append-only list of events that any number of waiters read by index.

    Nobody has a buffer: a late joiner replays from the start, a leaver disturbs nothing. The merger appends, one event per source, at
    most one StaleFound before them, and last a Landed or a Failed.

    Args:
        query: what is asked.
        deadline: absolute, on trio's clock, in seconds.
        known: what memory already holds under the key, too old to answer alone.
        standing: a complete answer that is still served meanwhile; nothing less is to take its place.
        asker: the person who had it started, for whom sources are asked.
        on_answer: called in the same step as a StaleFound and as the last event, before any waiter wakes.

    Attributes:
        began: when it was made, on trio's clock, in seconds.
        context: of the request that had it started, for the log lines of those who work on it.
    """

    def __init__(
        self,
        query: Query,
        deadline: float,
        *,
        known: Answer | None = None,
        standing: Answer | None = None,
        asker: Asker = ANYBODY,
        on_answer: "Callable[[Flight, StaleFound | Landed | Failed], None]",
    ) -> None:
        self.query = query
        self.began = trio.current_time()
        self.context = request_context()
        self.deadline = deadline
        self.known = known
        self.standing = standing
        self.asker = asker
        self._on_answer = on_answer
        self._events: list[FlightEvent] = []
        self._grown = trio.Event()

    def append(self, event: FlightEvent) -> None:
        """Publish an event and wake every waiter. Does not await, so landing is one step."""
        if isinstance(event, StaleFound | Landed | Failed):
            self._on_answer(self, event)
        self._events.append(event)
        self._grown.set()
        self._grown = trio.Event()

    @property
    def ended(self) -> bool:
        """True once the last event is published."""
        return bool(self._events) and isinstance(self._events[-1], Landed | Failed)

    async def after(self, seen: int) -> Sequence[FlightEvent]:
        """The events from index `seen` on; waits until there is at least one. Not to be asked past the last event."""
        while len(self._events) <= seen:
            await self._grown.wait()
        return self._events[seen:]


async def answered(flight: Flight) -> Landed | StaleFound:
    """Wait for a flight's answer: its end, or an older answer that is given while the flight goes on.

    Raises:
        FlightBugError: a bug ended it.
        UnavailableError: no source is enabled and the archive did not answer.
    """
    seen = 0
    while True:
        events = await flight.after(seen)
        seen += len(events)
        match events[-1]:
            case Landed() as landed:
                return landed
            case Failed(error):
                # One of its own for every waiter: a raised exception collects its raiser's traceback.
                raise type(error)(*error.args) from error
        for event in events:
            if isinstance(event, StaleFound):
                return event


@frozen
class FetchJob:
    """A fetcher's order: ask for `query` until `deadline` (absolute, trio's clock) and send exactly one outcome to `outbox`.

    Owns its end of the flight's channel: whoever holds the job closes it. `began`: when the search did (trio's clock), from which a
    source's own deadline counts. `asker`: for whom. `context`: the flight's.
    """

    query: Query
    began: float
    deadline: float
    outbox: trio.MemorySendChannel[FetchOutcome]
    asker: Asker = ANYBODY
    context: Mapping[str, Any] = field(factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.outbox.close()
