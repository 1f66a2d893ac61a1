"""Percentiles, and figures over several rounds."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

from attrs import asdict, frozen


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0..1) of all values do not exceed.

    This is the nearest-rank definition: the result is always a measured value. A high percentile of
    few values is the largest one.

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
    def from_rounds(cls, rounds: Sequence[float]) -> "Figure":
        """Compute the figure from the values of the rounds."""
        return cls(statistics.median(rounds), min(rounds), max(rounds))

    def format(self, digits: int = 1) -> str:
        """Format it for a table: `median (lowest-highest)`."""
        if self.low == self.high:
            return f"{self.median:,.{digits}f}"
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f}-{self.high:,.{digits}f})"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def compute_ratio(ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """Return ours / theirs, per round: what slows both in a round does not change the ratio."""
    return Figure.from_rounds([one / other for one, other in zip(ours, theirs, strict=True)])
