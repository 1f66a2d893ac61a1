"""Counts how long fetches took, for choosing deadlines.

The counts are by source, by status, and by time in steps of two digits.
"""

import math
from collections import Counter
from collections.abc import Mapping

from attrs import frozen

from newsintel.domain.search.outcome import Status

CUT_STATUSES = frozenset({Status.TIMEOUT, Status.OVERLOADED})
"""The statuses of a fetch that we cut short. It only shows that the source needs longer."""


@frozen
class Latency:
    """One step of one source's scale.

    `ms` is the upper end of the step, or its lower end for a fetch that was cut short.
    """

    source: str
    status: Status
    ms: int


def round_latency(latency_ms: float, status: Status) -> int:
    """Round a latency to two significant digits, such as 0.45 s or 1.2 s.

    This is precise enough to choose a deadline, and gives at most 90 steps per power of ten. The
    latency is rounded up, so that a deadline of this length would have sufficed. For a fetch that
    was cut short it is rounded down, so that it would not.
    """
    scale: int = 10 ** max(0, len(str(int(latency_ms))) - 2)
    return (
        math.floor(latency_ms / scale) if status in CUT_STATUSES else math.ceil(latency_ms / scale)
    ) * scale


class Tally:
    """Counts since the last `take`.

    Its size depends on the numbers of sources, statuses and steps, not on traffic.
    """

    def __init__(self) -> None:
        self._counts: Counter[Latency] = Counter()

    def add(self, source: str, status: Status, latency_ms: float) -> None:
        """Count one fetch."""
        self._counts[Latency(source, status, round_latency(latency_ms, status))] += 1

    def take(self) -> Mapping[Latency, int]:
        """Return the counts and start again from zero."""
        taken, self._counts = self._counts, Counter()
        return taken
