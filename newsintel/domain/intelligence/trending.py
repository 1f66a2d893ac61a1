"""What is searched for more than usual: the order of a window's queries, and each one's reason in words."""

import math
from collections.abc import Iterable

from newsintel.domain.intelligence.search_counts import Observed, Trend

PRIOR = 1.0
"""People added to the usual number where it divides: a query never seen before has a finite score, and few people a small one."""

AS_USUAL = 1.25
"""Up to so many times the usual is said to be as usual: with ten people it is less than chance alone does (one in sqrt(10))."""


def burst(people: int, usual: float) -> float:
    """How far a number of people is above the usual one, in standard deviations of a Poisson count.

    The Poisson model of trend detection (Hendrickson, Kolb, Lehman and Montague, "Trend Detection in Social Data", Twitter/Gnip, 2015):
    independent arrivals at the usual rate vary with a variance equal to their mean. So the distance from the mean is divided by the
    mean's square root, here with PRIOR added. Ten people where two are usual count for more than a hundred where ninety are.

    Args:
        people: in the window, at least 0.
        usual: in a window of that length, at least 0.
    """
    return (people - usual) / math.sqrt(usual + PRIOR)


def ranked(observed: Iterable[Observed], limit: int) -> tuple[Trend, ...]:
    """The queries of a window furthest above their usual, best first; among equals the one of more people, then by the alphabet.

    While nothing is known of what is usual, that is those of most people.
    """
    trends = [Trend(one.query, one.people, one.usual, burst(one.people, one.usual or 0.0)) for one in observed]
    return tuple(sorted(trends, key=lambda trend: (-trend.score, -trend.people, trend.query))[:limit])


def why(trend: Trend) -> str:
    """A trend's reason, e.g. "23 people, 6 times the usual"."""
    people = count_of(trend.people, "person", "people")
    if trend.usual is None:
        return f"{people}, too early to tell how many are usual"
    if trend.usual * 2 < 1:  # less than half a person: nothing to be a multiple of
        return f"{people}, where hardly anybody searched for it before"
    times = trend.people / trend.usual
    if times > AS_USUAL:
        return f"{people}, {round(times) if times >= 2 else round(times, 1):g} times the usual"
    return f"{people}, about as usual" if times * AS_USUAL >= 1 else f"{people}, fewer than usual"


def count_of(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many}"
