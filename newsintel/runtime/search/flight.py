"""A flight: one running search, and all who wait for it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import trio
from attrs import field, frozen

from newsintel.domain.search.harvest import Answer
from newsintel.domain.search.merging import GroupedHarvest
from newsintel.domain.search.outcome import ANONYMOUS_CALLER, FetchCaller, FetchOutcome
from newsintel.domain.search.query_model import Query
from newsintel.domain.tracing import NO_SPAN, Attributes, Span, current_span
from newsintel.errors import NewsIntelError
from newsintel.runtime.telemetry.logs import request_context


@frozen
class SourceReported:
    """A flight's event: one source sent its outcome. `found` holds all that came so far."""

    outcome: FetchOutcome
    found: GroupedHarvest


@frozen
class StaleFound:
    """A flight's event, at most one: an older answer to serve while this flight renews it.

    It comes from another process.
    """

    answer: Answer


@frozen
class Landed:
    """A flight's last event: the answer. `asked` is True if any source was asked for it."""

    answer: Answer
    asked: bool


@frozen
class Failed:
    """A flight's last event: it failed. Every waiter raises the error."""

    error: NewsIntelError


FlightEvent = SourceReported | StaleFound | Landed | Failed


class Flight:
    """An append-only list of events that any number of waiters read by index.

    Waiters have no buffers: a late joiner replays from the start, and a leaver affects nobody. The
    merger appends at most one StaleFound, then one event per source, and last a Landed or a Failed.

    Args:
        query: what is asked.
        deadline: absolute, on trio's clock, in seconds.
        known: what memory already holds under the key; it is too old to be the answer.
        standing: the answer that memory serves meanwhile; if it outranks the flight's answer, the
            flight's answer does not replace it in Redis.
        asker: the person who started the flight, for whom sources are asked.
        on_answer: called with a StaleFound and with the last event, in the same step, before any
            waiter wakes.

    Attributes:
        began: when it was created, on trio's clock, in seconds.
        context: the log context of the request that started it, for all log lines of the flight.
        span: the flight as a step of that request. It ends at the landing.
    """

    def __init__(
        self,
        query: Query,
        deadline: float,
        *,
        known: Answer | None = None,
        standing: Answer | None = None,
        asker: FetchCaller = ANONYMOUS_CALLER,
        on_answer: "Callable[[Flight, StaleFound | Landed | Failed], None]",
    ) -> None:
        self.query = query
        self.began = trio.current_time()
        self.context = request_context()
        self.span = current_span().begin_child("search")
        self.deadline = deadline
        self.previous = known
        self.serving = standing
        self.asker = asker
        self._on_answer = on_answer
        self._events: list[FlightEvent] = []
        self._grown = trio.Event()

    def append(self, event: FlightEvent) -> None:
        """Publish an event and wake every waiter. Does not await, so landing is one step."""
        if isinstance(event, StaleFound | Landed | Failed):
            self._on_answer(self, event)
        if isinstance(event, Landed | Failed):
            self._end_span(event)
        self._events.append(event)
        self._grown.set()
        self._grown = trio.Event()

    def _end_span(self, end: Landed | Failed) -> None:
        if isinstance(end, Failed):
            self.span.fail(type(end.error).__name__)
        elif self.span.is_recording:
            harvest = end.answer.harvest
            attributes: Attributes = {
                "newsintel.sources": self.query.sources,
                "newsintel.deadline_ms": round((self.deadline - self.began) * 1000),
                "newsintel.asked": end.asked,
                "newsintel.origin": harvest.origin.value,
                "newsintel.complete": end.answer.complete,
                "newsintel.articles": len(harvest.articles),
                "newsintel.stories": len(end.answer.merge.ranked),
            }
            self.span.set(attributes)
        self.span.end()

    @property
    def ended(self) -> bool:
        """True once the last event is published."""
        return bool(self._events) and isinstance(self._events[-1], Landed | Failed)

    async def wait_for_events(self, seen: int) -> Sequence[FlightEvent]:
        """Return the events from index `seen` on; wait until there is at least one.

        After the last event it would wait forever.
        """
        while len(self._events) <= seen:
            await self._grown.wait()
        return self._events[seen:]


def find_answer(events: Sequence[FlightEvent]) -> Landed | StaleFound | None:
    """Return the answer among a flight's events; None = the flight goes on without one.

    It is the last event, or an older answer while the flight goes on.

    Raises:
        FlightBugError: a bug ended the flight.
        UnavailableError: no source is enabled, and the archive did not answer.
    """
    match events[-1]:
        case Landed() as landed:
            return landed
        case Failed(error):
            # Each waiter gets its own: a raised exception collects its raiser's traceback.
            raise type(error)(*error.args) from error
    return next((event for event in events if isinstance(event, StaleFound)), None)


@frozen
class FetchJob:
    """A fetcher's job: ask the source, then send exactly one outcome to `outbox`.

    Owns: its clone of the flight's send end. The task that has the job closes it.

    Attributes:
        query: what to ask.
        began: when the search began, on trio's clock; the source's own deadline counts from here.
        deadline: absolute, on trio's clock.
        outbox: the flight's channel.
        asker: the caller for whom the source is asked.
        context: the flight's log context.
        span: the flight's span.
    """

    query: Query
    began: float
    deadline: float
    outbox: trio.MemorySendChannel[FetchOutcome]
    asker: FetchCaller = ANONYMOUS_CALLER
    context: Mapping[str, Any] = field(factory=dict)
    span: Span = NO_SPAN

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.outbox.close()
