"""Precision, recall and F1, with the range that a bootstrap finds."""

import random
from collections.abc import Sequence

from attrs import frozen

_RESAMPLES, _SEED = 500, 1
_LOW, _HIGH = 0.025, 0.975
"""The middle 95 % of the resamples (Efron and Tibshirani, An Introduction to the Bootstrap)."""


@frozen
class Scores:
    """How right the decisions of a rule are.

    Attributes:
        right, wrong, missed: pairs merged rightly, merged wrongly and not merged.
    """

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """Of what was merged, the share that is right; 1 if nothing was merged."""
        merged = self.right + self.wrong
        return self.right / merged if merged else 1.0

    @property
    def recall(self) -> float:
        """Of what belongs together, the share that was merged."""
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)


def score(merged: Sequence[bool], same: Sequence[bool]) -> Scores:
    """Compare decisions with labels."""
    both = list(zip(merged, same, strict=True))
    return Scores(both.count((True, True)), both.count((True, False)), both.count((False, True)))


def find_range(parts: Sequence[Scores]) -> tuple[float, float]:
    """Return the range of F1 over resamples, with replacement, of independent parts."""
    chooser = random.Random(_SEED)  # noqa: S311 - not for security
    found = sorted(add_scores(chooser.choices(parts, k=len(parts))).f1 for _ in range(_RESAMPLES))
    return found[int(_LOW * _RESAMPLES)], found[int(_HIGH * _RESAMPLES)]


def add_scores(parts: Sequence[Scores]) -> Scores:
    """Return the scores of all parts together."""
    return Scores(
        sum(part.right for part in parts),
        sum(part.wrong for part in parts),
        sum(part.missed for part in parts),
    )
