"""Ranks queries that are searched for more than usual, and gives the reasons in words."""

import math
from collections.abc import Iterable

from newsintel.domain.intelligence.search_counts import ObservedQuery, Trend

PRIOR = 1.0
"""People added to the usual number in the divisor, so that a new query has a finite score, and a
small one for few people."""

MAX_USUAL_RATIO = 1.25
"""Up to this multiple the number is called usual: for ten people it is less than random variation
(one in sqrt(10))."""


def score_burst(people: int, usual: float) -> float:
    """Return how far a number of people is above the usual one, in standard deviations.

    The Poisson model of trend detection (Hendrickson, Kolb, Lehman and Montague, "Trend Detection
    in Social Data", Twitter/Gnip, 2015): independent arrivals at the usual rate have a variance
    equal to their mean. So the distance from the mean is divided by the root of the mean, here with
    PRIOR added. Ten people instead of the usual two score higher than a hundred instead of ninety.

    Args:
        people: in the window, at least 0.
        usual: in a window of that length, at least 0.
    """
    return (people - usual) / math.sqrt(usual + PRIOR)


def rank_trends(observed: Iterable[ObservedQuery], limit: int) -> tuple[Trend, ...]:
    """Return the queries of a window that are furthest above their usual number, best first.

    On ties the query with more people comes first, then the order is alphabetical. While the usual
    numbers are unknown, the queries of most people come first.
    """
    trends = [
        Trend(one.query, one.people, one.usual, score_burst(one.people, one.usual or 0.0))
        for one in observed
    ]
    return tuple(
        sorted(trends, key=lambda trend: (-trend.score, -trend.people, trend.query))[:limit]
    )


def explain_trend(trend: Trend) -> str:
    """Return a trend's reason, e.g. "23 people, 6 times the usual"."""
    people = format_count(trend.people, "person", "people")
    if trend.usual is None:
        return f"{people}, too early to tell how many are usual"
    if trend.usual * 2 < 1:  # less than half a person: a multiple would mean nothing
        return f"{people}, where hardly anybody searched for it before"
    times = trend.people / trend.usual
    if times > MAX_USUAL_RATIO:
        return f"{people}, {round(times) if times >= 2 else round(times, 1):g} times the usual"
    return (
        f"{people}, about as usual"
        if times * MAX_USUAL_RATIO >= 1
        else f"{people}, fewer than usual"
    )


def format_count(number: int, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many}"
