"""Invented searches by invented people: habits over two weeks, and breaking news.

Every query finds something in the invented news (`stories`). The habits of a day are always the
same, so counting them twice adds nothing.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from attrs import frozen

DAYS = 14
"""A week, and the week before it to compare with."""
PEOPLE = 160
"""Invented people; each searches on about every second day."""

HABITS = (
    ("climate change", "carbon emissions", "extreme weather"),
    ("artificial intelligence", "neural network", "chips"),
    ("football", "transfer market", "video replays"),
    ("interest rates", "inflation", "house prices"),
    ("elections", "turnout", "government"),
    ("wind power", "energy transition", "gas prices"),
    ("oceans", "plastic pollution", "deep-sea mining"),
    ("hospital", "vaccine", "public health"),
    ("space", "rockets", "satellites"),
    ("music", "concerts", "streaming services"),
)
"""Each group: queries that the same people search for."""

NEWS = (
    (("malaria vaccine", "vaccine"), 0.7, 14),
    (("fusion experiment", "energy transition"), 5.0, 19),
    (("shipwreck", "bronze age boat"), 9.0, 11),
    (("herring quota", "oceans"), 16.0, 16),
    (("coffee price", "inflation"), 50.0, 24),
    (("exit poll", "elections"), 80.0, 22),
)
"""Breaking news: the queries, how many hours ago it began, and how many people search.

Most of the searches come in the first six hours.
"""


@frozen
class InventedSearch:
    """One search by an invented person. No real person can have the name `person`."""

    query: str
    person: str
    at: datetime


def invent_searches(now: datetime, seed: int = 0) -> list[InventedSearch]:
    """Return two weeks of searches before a moment, the earliest first.

    Equal arguments give equal searches, in every process.
    """
    found = [*_invent_habit_searches(now, seed), *_invent_news_searches(now, seed)]
    return sorted(
        (one for one in found if one.at <= now), key=lambda one: (one.at, one.person, one.query)
    )


def list_queries() -> tuple[str, ...]:
    """Return every query that invented people search for."""
    return tuple(
        dict.fromkeys(
            query for group in (*HABITS, *(news for news, _, _ in NEWS)) for query in group
        )
    )


def _invent_habit_searches(now: datetime, seed: int) -> Iterator[InventedSearch]:
    for back in range(DAYS):
        day = now.date() - timedelta(days=back)
        dice = random.Random(f"{seed} {day}")  # noqa: S311 - nothing here is a secret
        for number in range(PEOPLE):
            if dice.random() < 0.5:
                continue
            at = datetime.combine(day, time(), UTC) + timedelta(hours=dice.triangular(0, 23, 12))
            for query in dice.sample(HABITS[number % len(HABITS)], k=dice.choice((2, 3))):
                at += timedelta(minutes=dice.uniform(1, 15))
                yield InventedSearch(query, f"invented {number}", at)


def _invent_news_searches(now: datetime, seed: int) -> Iterator[InventedSearch]:
    dice = random.Random(seed)  # noqa: S311 - nothing here is a secret
    for group, hours_ago, people in NEWS:
        for number in range(people):
            at = now - timedelta(hours=hours_ago) * (
                1 - dice.random() ** 2 * min(1.0, 6 / hours_ago)
            )
            for query in group[: dice.choice((1, 2, 2))]:
                at += timedelta(minutes=dice.uniform(0.2, 2))
                yield InventedSearch(query, f"invented reader {number}", min(at, now))
