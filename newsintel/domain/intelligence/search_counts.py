"""The values for counting searches by people.

All are frozen; times are aware UTC, and a day is a UTC day.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import StrEnum

from attrs import frozen

OPEN_DAYS = 2
"""Today and yesterday: they contain every window of 24 hours. Of an earlier day only queries that
reached the floor are kept."""

RETENTION_DAYS = 14
"""All days that are kept, including today: a week, and the previous week for comparison."""

MarksFinder = Callable[..., tuple[bytes, ...]]
"""`marks_of(day, query)` or `marks_of(day, low, high)`: the marks of one person's search, or pair
of searches, on a day."""


class TrendWindow(StrEnum):
    """The window of a trend, up to now."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"

    @property
    def length(self) -> timedelta:
        """The length of the window."""
        return {
            TrendWindow.HOUR: timedelta(hours=1),
            TrendWindow.DAY: timedelta(days=1),
            TrendWindow.WEEK: timedelta(days=7),
        }[self]


@frozen
class SameDayQuery:
    """Another query of the same person and day.

    Attributes:
        mark: its own mark, which shows whether the query is still counted.
        pair_mark: the mark of the pair.
    """

    query: str
    mark: bytes
    pair_mark: bytes


@frozen
class MarkedSearch:
    """A search to be counted. The marks do not reveal the person (`marks`).

    Attributes:
        query: in normal form.
        mark: 16 bytes.
        beside: the person's other queries of the day.
        articles: ids of the first articles of the answer.
        user_id: to skip searches of deleted accounts. It is not stored.
    """

    query: str
    searched_at: datetime
    mark: bytes
    beside: tuple[SameDayQuery, ...]
    articles: tuple[str, ...]
    user_id: int | None

    @property
    def day(self) -> date:
        """The day for which the person counts once."""
        return self.searched_at.date()


@frozen
class ObservedQuery:
    """A query in a window: how many people searched for it, and the usual number.

    `usual` is None if it is not known yet.
    """

    query: str
    people: int
    usual: float | None


@frozen
class Trend:
    """A query in the list of its window. A higher score is further above the usual number."""

    query: str
    people: int
    usual: float | None
    score: float


@frozen
class QueryRelation:
    """A query and one that it is related to. Both have at least as many people as the floor.

    Attributes:
        seed: the query whose relatives are wanted.
        query: the related query.
        people: how many people searched for the related query, over the days that are kept.
        seed_people: the same for the seed; 0 if it is a person's own and has not reached the floor.
        together: people who searched for both on one day, over the days on which they reached the
            floor.
        shared: articles that are among the first of both answers.
        either: articles that are among the first of at least one answer.
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
    """A related query with its closest seed. The score is 0..1."""

    kin: QueryRelation
    score: float
