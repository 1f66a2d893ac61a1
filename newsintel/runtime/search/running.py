"""A caller's search that waits for a flight, step by step."""

from collections.abc import Awaitable, Callable

from attrs import define, field, frozen

from newsintel.domain.search.harvest import Reply, Via
from newsintel.domain.search.outcome import FetchCaller
from newsintel.runtime.search.flight import (
    Flight,
    Landed,
    SourceReported,
    StaleFound,
    find_answer,
)


@frozen
class Step:
    """What happened since the last step.

    Attributes:
        reports: the sources' reports, in the order of their arrival.
        reply: the end of the search; None = it goes on.
    """

    reports: tuple[SourceReported, ...]
    reply: Reply | None


@define(eq=False)
class RunningSearch:
    """Follows the flight that one caller waits for.

    It has no buffer: it reads the flight's own list by index. Owns nothing, so a caller that leaves
    needs no clean-up, and the flight and its other waiters go on.

    Attributes:
        flight: what the caller waits for.
        collapsed: whether another caller started the flight.
        build_asker: returns the caller as the sources see it now.
        join_again: joins or starts another flight, or returns a stale answer if the caller may
            start none.
    """

    _flight: Flight
    _collapsed: bool = field(kw_only=True)
    _build_asker: Callable[[], FetchCaller] = field(kw_only=True)
    _join_again: Callable[[], Awaitable[Flight | Reply]] = field(kw_only=True)
    _seen: int = field(init=False, default=0)

    async def wait_for_step(self) -> Step:
        """Wait until there is something new. After a reply there is nothing more to wait for.

        A cancelled wait loses nothing.

        Raises:
            FlightBugError: a bug ended the flight.
            RateLimitedError: another flight was needed, the caller's limit of misses is used up,
                and memory holds nothing usable.
            OverloadedError: another flight was needed, and the maximum of flights is running.
            UnavailableError: no source is enabled, and the archive did not answer.
        """
        while True:
            events = await self._flight.wait_for_events(self._seen)
            found = find_answer(events)
            if found is not None and self._holds_back(found):
                joined = await self._join_again()
                if isinstance(joined, Reply):
                    return Step((), joined)
                self._flight, self._collapsed, self._seen = joined, False, 0
                continue
            self._seen += len(events)
            reports = tuple(event for event in events if isinstance(event, SourceReported))
            return Step(reports, None if found is None else self._build_reply(found))

    def _holds_back(self, found: Landed | StaleFound) -> bool:
        """Whether a source held back from the caller who started the flight, but not from us."""
        return (
            self._collapsed
            and isinstance(found, Landed)
            and not all(map(self._build_asker().is_bound_by, found.answer.harvest.outcomes))
        )

    def _build_reply(self, found: Landed | StaleFound) -> Reply:
        if isinstance(found, StaleFound):
            return Reply(found.answer, Via.REVALIDATED)
        if not found.asked:
            return Reply(found.answer, Via.HIT)
        return Reply(found.answer, Via.COLLAPSED if self._collapsed else Via.MISS)
