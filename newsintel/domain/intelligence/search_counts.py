"""The values of searches counted by people. All are frozen; times are aware UTC, and a day is a UTC day."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import StrEnum

from attrs import frozen

OPEN_DAYS = 2
"""Today and the day before: every window of 24 hours lies within. Of a day that is further back only what reached the floor is kept."""

KEPT_DAYS = 14
"""Days that are kept in all, today included: a week, and the week before it to compare with."""

MarksOf = Callable[..., tuple[bytes, ...]]
"""`marks_of(day, query)` or `marks_of(day, low, high)`: what one person's search, or pair of searches, is counted under on a day."""


class Span(StrEnum):
    """The window of a trend, up to now."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return {Span.HOUR: timedelta(hours=1), Span.DAY: timedelta(days=1), Span.WEEK: timedelta(days=7)}[self]


@frozen
class Beside:
    """Another query of the same person and day: its own mark, by which it can be told to be counted still, and the mark of the pair."""

    query: str
    mark: bytes
    pair_mark: bytes


@frozen
class MarkedSearch:
    """A search on its way into the counts: whose it was is in no member but the marks, which say it to nobody (`marking`).

    Attributes:
        query: in its normal form.
        mark: 16 bytes.
        beside: the person's other queries of the day.
        articles: ids of the first articles of the answer.
        user_id: for what is left out because an account is gone; it is not kept.
    """

    query: str
    searched_at: datetime
    mark: bytes
    beside: tuple[Beside, ...]
    articles: tuple[str, ...]
    user_id: int | None

    @property
    def day(self) -> date:
        """The day on which the person counts once."""
        return self.searched_at.date()


@frozen
class Observed:
    """A query in a window: how many people searched for it there, and how many would have done so as usual; None = not known yet."""

    query: str
    people: int
    usual: float | None


@frozen
class Trend:
    """A query in the list of its window; the higher the score, the further above the usual."""

    query: str
    people: int
    usual: float | None
    score: float


@frozen
class Kin:
    """A query beside the one that it is related to, both with at least the floor's number of people.

    Attributes:
        seed: the query that was asked about.
        query: the other one.
        people: who searched for the other one, over the days that are kept.
        seed_people: likewise for the seed; 0 where it is a person's own and has not reached the floor.
        together: people who searched for both on one day, over the days on which they were not fewer than the floor.
        shared: articles that are among the first of both answers.
        either: articles that are among the first of at least one.
    """

    seed: str
    query: str
    people: int
    seed_people: int
    together: int
    shared: int
    either: int


@frozen
class RelatedSearch:
    """A related query with its closest kin among what was asked about; the score is from 0 to 1."""

    kin: Kin
    score: float
