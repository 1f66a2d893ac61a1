"""Computes from measured latencies what a deadline would cost and save.

Pure arithmetic on counts; times are whole milliseconds. A fetch that was cut short only shows that
the source needs longer. It counts as lost under every deadline, so the loss is never understated.
Nothing is known, and nothing suggested, beyond the longest answer seen.

A miss takes as long as its slowest source, each limited by its deadline: the maximum of
min(latency, deadline). Sources are assumed to be independent, so the probability that all have
ended by a time is the product of theirs.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from math import prod

from attrs import frozen

from newsintel.domain.operations.latencies import CUT_STATUSES, Latency

LEVELS = (0.1, 0.05, 0.02, 0.01, 0.005, 0.001)
"""Shares of lost answers for which deadlines are shown."""


@frozen
class Curve:
    """A cumulative count of fetches by time."""

    times_ms: tuple[int, ...]
    so_far: tuple[int, ...]

    @classmethod
    def from_counts(cls, counts: Mapping[int, int]) -> "Curve":
        """Make the curve from counts by milliseconds."""
        times = sorted(counts)
        return cls(tuple(times), tuple(accumulate(counts[time] for time in times)))

    def count_until(self, time_ms: int) -> int:
        """Return how many had ended by a time."""
        past = bisect_right(self.times_ms, time_ms)
        return self.so_far[past - 1] if past else 0

    @property
    def total(self) -> int:
        """The number of fetches."""
        return self.so_far[-1] if self.so_far else 0


@frozen
class SourceFetches:
    """One source's fetches.

    Attributes:
        answered: those with an answer, including empty ones.
        cut: those that were cut short, by the time they were given.
        ended: those that were not cut short: answers and failures.
    """

    answered: Curve
    cut: Curve
    ended: Curve

    @property
    def wanted(self) -> int:
        """Fetches that depend on the deadline: answered or cut short. Other failures do not."""
        return self.answered.total + self.cut.total

    def lost_share(self, deadline_ms: int) -> float:
        """Return the share of wanted fetches without an answer by a deadline, 0..1; 0 if none."""
        return (
            (self.wanted - self.answered.count_until(deadline_ms)) / self.wanted
            if self.wanted
            else 0.0
        )

    def is_overstated(self, deadline_ms: int) -> bool:
        """Whether fetches were cut short before a deadline, so `lost_share` may be too high."""
        return self.cut.count_until(deadline_ms - 1) > 0

    def find_shortest_deadline(self, most_lost: float) -> int | None:
        """Return the shortest measured deadline that loses at most this share, or None."""
        return next(
            (time for time in self.answered.times_ms if self.lost_share(time) <= most_lost), None
        )


@frozen
class DeadlineOption:
    """One deadline for one source, with all others unchanged.

    It holds the share lost, and the time within which 50 % and 99 % of all misses end.
    """

    deadline_ms: int
    lost: float
    overstated: bool
    p50_ms: int
    p99_ms: int


def group_by_source(counts: Mapping[Latency, int]) -> dict[str, SourceFetches]:
    """Group counts by source."""
    by_source: dict[str, tuple[Counter[int], Counter[int], Counter[int]]] = {}
    for latency, count in counts.items():
        answered, cut, ended = by_source.setdefault(
            latency.source, (Counter(), Counter(), Counter())
        )
        if latency.status in CUT_STATUSES:
            kinds = [cut]
        else:
            kinds = [ended, answered] if latency.status.answered else [ended]
        for kind in kinds:
            kind[latency.ms] += count
    return {
        name: SourceFetches(*map(Curve.from_counts, curves)) for name, curves in by_source.items()
    }


def miss_ms(
    sources: Mapping[str, SourceFetches], deadlines_ms: Mapping[str, int], share: float
) -> int:
    """Return the time by which a share (0..1] of all misses have ended; 0 without measurements."""
    limits = {
        name: (source, deadlines_ms[name])
        for name, source in sources.items()
        if source.wanted or source.ended.total
    }
    times = sorted(
        {
            min(time, limit)
            for source, limit in limits.values()
            for time in (*source.ended.times_ms, limit)
        }
    )
    return next((time for time in times if _ended_share(limits.values(), time) >= share), 0)


def _ended_share(limits: Iterable[tuple[SourceFetches, int]], time_ms: int) -> float:
    """Return the probability that every source has ended by a time."""
    return prod(
        1.0
        if time_ms >= limit
        else source.ended.count_until(time_ms) / (source.ended.total + source.cut.total)
        for source, limit in limits
    )


def list_options(
    name: str, sources: Mapping[str, SourceFetches], today_ms: Mapping[str, int]
) -> tuple[DeadlineOption, ...]:
    """Return useful deadlines for one source, including the current one, shortest first."""
    source = sources[name]
    candidates = {
        today_ms[name],
        *(time for level in LEVELS if (time := source.find_shortest_deadline(level)) is not None),
    }
    return tuple(
        DeadlineOption(
            time,
            source.lost_share(time),
            source.is_overstated(time),
            miss_ms(sources, {**today_ms, name: time}, 0.5),
            miss_ms(sources, {**today_ms, name: time}, 0.99),
        )
        for time in sorted(candidates)
    )


def complete_share(sources: Mapping[str, SourceFetches], deadlines_ms: Mapping[str, int]) -> float:
    """Return the share of answers that would lose no source to a deadline, 0..1."""
    return prod(1 - source.lost_share(deadlines_ms[name]) for name, source in sources.items())


def suggest_deadlines(sources: Mapping[str, SourceFetches], share: float) -> dict[str, int]:
    """Return deadlines for which a share of answers (0..1) is complete and misses are shortest.

    Empty if no measured deadline suffices. All sources get one limit, since a miss waits for its
    slowest source: a source with a shorter one would lose answers and save nothing. Each deadline
    is then reduced to the longest answer of its source within the limit, which loses no more than
    the limit itself.
    """
    answering = {name: source for name, source in sources.items() if source.wanted}
    limits = sorted({time for source in answering.values() for time in source.answered.times_ms})
    limit = next(
        (
            time
            for time in limits
            if complete_share(answering, dict.fromkeys(answering, time)) >= share
        ),
        None,
    )
    if limit is None:
        return {}
    return {
        name: source.answered.times_ms[bisect_right(source.answered.times_ms, limit) - 1]
        for name, source in answering.items()
    }


def has_enough_fetches(source: SourceFetches, share: float) -> bool:
    """Whether enough fetches were measured to expect at least one among those that may be lost."""
    return source.wanted * (1 - share) >= 1
