"""Percentiles, and figures that were taken in several rounds."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

from attrs import asdict, frozen


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0..1) of all values do not exceed: the nearest-rank definition.

    It is always a value that was measured. Of few values a high percentile is the largest one.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@frozen
class Figure:
    """One figure over several rounds: its median, lowest and highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> "Figure":
        """The figure of the values that the rounds gave."""
        return cls(statistics.median(rounds), min(rounds), max(rounds))

    def shown(self, digits: int = 1) -> str:
        """As in a table: `median (lowest-highest)`."""
        if self.low == self.high:
            return f"{self.median:,.{digits}f}"
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f}-{self.high:,.{digits}f})"

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """How many times theirs ours is, round by round: what slowed both in one round leaves their ratio alone."""
    return Figure.of([one / other for one, other in zip(ours, theirs, strict=True)])
