"""What a deadline would cost and save, worked out of measured latencies. Pure arithmetic on counts; times in whole milliseconds.

A fetch that was cut short tells only that the source would have taken longer. It counts as lost whatever the deadline, so what is said of
a loss is never too small, and beyond the longest answer seen nothing is known and nothing is suggested.

A miss takes as long as its slowest source, each no longer than its deadline: the maximum of min(latency, deadline). Sources are taken as
independent, so the chance that all have ended by a time is the product of their chances.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from math import prod

from attrs import frozen

from newsintel.domain.operations.latencies import CUT, Latency

LEVELS = (0.1, 0.05, 0.02, 0.01, 0.005, 0.001)
"""Shares of answers lost whose deadlines are worth a look."""


@frozen
class Curve:
    """How many fetches had ended by a time."""

    times_ms: tuple[int, ...]
    so_far: tuple[int, ...]

    @classmethod
    def of(cls, counts: Mapping[int, int]) -> "Curve":
        """The curve of counts by milliseconds."""
        times = sorted(counts)
        return cls(tuple(times), tuple(accumulate(counts[time] for time in times)))

    def by(self, time_ms: int) -> int:
        """How many had ended by a time."""
        past = bisect_right(self.times_ms, time_ms)
        return self.so_far[past - 1] if past else 0

    @property
    def total(self) -> int:
        """How many there are."""
        return self.so_far[-1] if self.so_far else 0


@frozen
class Measured:
    """One source's fetches.

    Attributes:
        answered: those that brought an answer, empty ones included.
        cut: those that were cut short, by how long they had been given.
        ended: those that ended by themselves, answers and failures alike.
    """

    answered: Curve
    cut: Curve
    ended: Curve

    @property
    def wanted(self) -> int:
        """Fetches that a deadline decides about: answered or cut short. Other failures come whatever the deadline."""
        return self.answered.total + self.cut.total

    def lost(self, deadline_ms: int) -> float:
        """The share of wanted fetches that had not answered by a deadline, 0..1; 0 if none was wanted."""
        return (self.wanted - self.answered.by(deadline_ms)) / self.wanted if self.wanted else 0.0

    def overstated(self, deadline_ms: int) -> bool:
        """Whether some fetches were cut short before a deadline, so that it may lose less than `lost` says."""
        return self.cut.by(deadline_ms - 1) > 0

    def shortest(self, most_lost: float) -> int | None:
        """The shortest deadline seen to suffice that loses at most such a share; None if every one seen loses more."""
        return next((time for time in self.answered.times_ms if self.lost(time) <= most_lost), None)


@frozen
class Option:
    """One deadline for one source, all others staying as they are: what is lost, and how long half and 99 % of all misses take at most."""

    deadline_ms: int
    lost: float
    overstated: bool
    p50_ms: int
    p99_ms: int


def measured(counts: Mapping[Latency, int]) -> dict[str, Measured]:
    """Sort counts by source."""
    by_source: dict[str, tuple[Counter[int], Counter[int], Counter[int]]] = {}
    for latency, count in counts.items():
        answered, cut, ended = by_source.setdefault(latency.source, (Counter(), Counter(), Counter()))
        kinds = [cut] if latency.status in CUT else [ended, answered] if latency.status.answered else [ended]
        for kind in kinds:
            kind[latency.ms] += count
    return {name: Measured(*map(Curve.of, curves)) for name, curves in by_source.items()}


def miss_ms(sources: Mapping[str, Measured], deadlines_ms: Mapping[str, int], share: float) -> int:
    """The time by which a share (0..1] of all misses have ended; 0 if nothing was measured."""
    limits = {name: (source, deadlines_ms[name]) for name, source in sources.items() if source.wanted or source.ended.total}
    times = sorted({min(time, limit) for source, limit in limits.values() for time in (*source.ended.times_ms, limit)})
    return next((time for time in times if _ended(limits.values(), time) >= share), 0)


def _ended(limits: Iterable[tuple[Measured, int]], time_ms: int) -> float:
    """The chance that every source has ended by a time."""
    return prod(1.0 if time_ms >= limit else source.ended.by(time_ms) / (source.ended.total + source.cut.total) for source, limit in limits)


def options(name: str, sources: Mapping[str, Measured], today_ms: Mapping[str, int]) -> tuple[Option, ...]:
    """Deadlines worth a look for one source, today's among them, shortest first."""
    source = sources[name]
    candidates = {today_ms[name], *(time for level in LEVELS if (time := source.shortest(level)) is not None)}
    return tuple(
        Option(
            time,
            source.lost(time),
            source.overstated(time),
            miss_ms(sources, {**today_ms, name: time}, 0.5),
            miss_ms(sources, {**today_ms, name: time}, 0.99),
        )
        for time in sorted(candidates)
    )


def complete(sources: Mapping[str, Measured], deadlines_ms: Mapping[str, int]) -> float:
    """The share of answers to which no deadline would cost a source, 0..1."""
    return prod(1 - source.lost(deadlines_ms[name]) for name, source in sources.items())


def suggest(sources: Mapping[str, Measured], share: float) -> dict[str, int]:
    """The deadlines under which a share of answers (0..1) is complete and the longest miss is shortest; empty if none seen suffice.

    That is one limit for all, since a miss waits for its slowest source: whoever had less than the others would lose answers and save
    nothing. Each source is told the longest answer it was seen to give within the limit, which loses no more than the limit itself.
    """
    answering = {name: source for name, source in sources.items() if source.wanted}
    limits = sorted({time for source in answering.values() for time in source.answered.times_ms})
    limit = next((time for time in limits if complete(answering, dict.fromkeys(answering, time)) >= share), None)
    if limit is None:
        return {}
    return {name: source.answered.times_ms[bisect_right(source.answered.times_ms, limit) - 1] for name, source in answering.items()}


def enough(source: Measured, share: float) -> bool:
    """Whether so many fetches were measured that at least one is expected among those that may be lost."""
    return source.wanted * (1 - share) >= 1
