"""What routes and actors need of the stores about searches of many people, as Protocols: beside `ports`, with the same promise.

Every method is trio-flavoured and raises `UnavailableError` (`BusyError` when no slot was free) and nothing else that is foreseen. What a
method shows has been searched for by at least `floor` distinct people within one UTC day.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Protocol

from newsintel.intelligence.search_model import Kin, MarkedSearch, MarksOf, Observed, Span, Trend


class SearchMarks(Protocol):
    """People's searches, to be counted."""

    async def add(self, searches: Sequence[MarkedSearch]) -> None:
        """Keep marks, but for those whose owners are gone or have cleared their searches since; safe to repeat."""
        ...

    async def forget(self, marks_of: MarksOf) -> None:
        """Take a person out of every count of the open days, and what is then under nobody's count with it.

        A trend that the person was counted in is not shown until it has been counted anew.
        """
        ...

    async def close(self, today: date, floor: int) -> int:
        """Turn the days before the open ones into counts: what is under the floor goes, and so do all their marks, and old counts.

        Two at once share the work.

        Returns:
            How many marks went.
        """
        ...


class Trending(Protocol):
    """The lists of what is searched for more than usual, made beforehand."""

    async def refresh(self, span: Span, now: datetime, floor: int, rank: Callable[[Sequence[Observed]], Sequence[Trend]]) -> bool:
        """Make a window's list anew, unless any process has just done so: then False.

        Args:
            span: the window.
            now: its end.
            floor: how many distinct people a UTC day's part of the window must have to count.
            rank: chooses and orders; a pure function.
        """
        ...

    async def top(self, span: Span, floor: int, limit: int) -> Sequence[Trend]:
        """The first of a window's list as it was last made."""
        ...


class Kinship(Protocol):
    """Which searches go together."""

    async def kin(self, seeds: Sequence[str], today: date, floor: int, *, own: bool) -> Sequence[Kin]:
        """Queries that share people or articles with any of the seeds.

        Args:
            seeds: in normal form.
            today: the UTC day.
            floor: distinct people that a query must have had within one day; of a pair likewise.
            own: the seeds are the caller's own searches. Else one under the floor has no kin: whether anybody searched for it is
                nobody's to know.
        """
        ...
