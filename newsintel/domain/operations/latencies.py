"""How long fetches took, counted so that deadlines can be chosen: by source, by how a fetch ended, by time in steps of two digits."""

import math
from collections import Counter
from collections.abc import Mapping

from attrs import frozen

from newsintel.domain.search.outcome import Status

CUT = frozenset({Status.TIMEOUT, Status.OVERLOADED})
"""How a fetch ends whose time we cut short: all that it tells is that the source would have taken longer."""


@frozen
class Latency:
    """One step of one source's scale. `ms` is the step's upper end, or its lower end for a fetch that was cut short."""

    source: str
    status: Status
    ms: int


def step_ms(latency_ms: float, status: Status) -> int:
    """A latency in two significant digits, 0.45 s or 1.2 s: fine enough to choose a deadline by, and at most 90 steps per power of ten.

    Rounded up, so that a deadline of that length would have sufficed; a fetch that was cut short is rounded down, so that it would not.
    """
    scale: int = 10 ** max(0, len(str(int(latency_ms))) - 2)
    return (math.floor(latency_ms / scale) if status in CUT else math.ceil(latency_ms / scale)) * scale


class Tally:
    """Counts since it was last taken. Bounded by sources, statuses and steps, whatever the traffic."""

    def __init__(self) -> None:
        self._counts: Counter[Latency] = Counter()

    def note(self, source: str, status: Status, latency_ms: float) -> None:
        """Count one fetch."""
        self._counts[Latency(source, status, step_ms(latency_ms, status))] += 1

    def take(self) -> Mapping[Latency, int]:
        """Hand the counts over and begin anew."""
        taken, self._counts = self._counts, Counter()
        return taken
