"""Normalised discounted cumulative gain (nDCG), and how sure a mean over queries is.

Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques (ACM TOIS 20, 2002): the
gain of a place is the grade of its article, divided by log2(1 + place). The sum over the first
places is divided by that of the best possible order.
"""

import random
from collections.abc import Sequence
from math import log2

PLACES = 10
RESAMPLES = 10_000


def sum_gains(grades: Sequence[int], places: int = PLACES) -> float:
    """Return the discounted gain of the first places."""
    return sum(grade / log2(place + 2) for place, grade in enumerate(grades[:places]))


def compute_ndcg(
    grades: Sequence[int], everything: Sequence[int], places: int = PLACES
) -> float | None:
    """Return the gain of an order as a part of the best possible gain, 0..1.

    Args:
        grades: in the order to judge.
        everything: the grades of all articles that could have been shown.
        places: how many count.

    Returns:
        None if no order can gain anything.
    """
    best = sum_gains(sorted(everything, reverse=True), places)
    return sum_gains(grades, places) / best if best else None


def bootstrap_mean(values: Sequence[float]) -> tuple[float, float]:
    """Return the range that holds 95 % of the means of resampled values.

    Efron's percentile bootstrap over queries, with a fixed seed.
    """
    dice = random.Random(36)  # noqa: S311 - nothing secret
    means = sorted(sum(dice.choices(values, k=len(values))) / len(values) for _ in range(RESAMPLES))
    return means[RESAMPLES * 25 // 1000], means[RESAMPLES * 975 // 1000]
