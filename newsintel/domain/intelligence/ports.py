"""What routes and actors need of the stores for intelligence, as Protocols: beside `ports`, with the same promise.

Every method is trio-flavoured and raises `UnavailableError` (`BusyError` when no slot was free, `ArchiveTimeoutError` when it took longer
than it may) and nothing else that is foreseen.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from newsintel.domain.intelligence.interest_model import Deed, Offer, Sharing, Wanted
from newsintel.domain.intelligence.likeness_model import Match
from newsintel.domain.intelligence.search_counts import Kin, MarkedSearch, MarksOf, Observed, Span, Trend
from newsintel.domain.search.article import Article


class Likeness(Protocol):
    """Which articles of the archive are like others.

    A term is a lexeme, a word as the archive's search indexes it; what makes one telling is that few articles have it. A weight is above 0;
    weights of one text are comparable with each other and with those of other texts.
    """

    async def similar(self, article_id: str, limit: int) -> tuple[Match, ...] | None:
        """The articles most like one, best first, its own duplicates left out; None if the archive has no such article."""
        ...

    async def like(self, article: Article, limit: int) -> tuple[Match, ...]:
        """Likewise for an article that the archive need not have."""
        ...

    async def telling_words(self, texts: Sequence[str], each: int) -> Sequence[Mapping[str, float]]:
        """The `each` most telling terms of texts that people wrote with their weights, in the texts' order.

        A text of stop words alone has no terms.
        """
        ...


class Reading(Protocol):
    """What people did with articles, and what there is that may be new to them."""

    async def deeds(self, user_id: int) -> Sequence[Deed]:
        """The latest of each kind that one person did, topics aside."""
        ...

    async def sharing(self, wanted: Wanted, limit: int) -> Sequence[Sharing]:
        """About the `limit` newest articles that share enough terms; fewer if the archive has fewer."""
        ...

    async def unseen(self, user_id: int, article_ids: Sequence[str]) -> Mapping[str, Offer]:
        """Those of some articles that the person has not dealt with, nor with a duplicate of them, by public id."""
        ...

    async def covered(self, limit: int) -> Sequence[tuple[str, str, int]]:
        """Of the newest articles those with the most duplicates: public id, title and how many; the newest of equals first."""
        ...


class TermCounts(Protocol):
    """In how many articles each term occurs, as the term counter sees it."""

    async def add_up(self) -> int:
        """Add what changed to the counts, up to a batch of it; how many changes that were, 0 while another process does the same."""
        ...


class SaveCounts(Protocol):
    """How many people saved each article, as the save counter sees it."""

    async def most_saved(self, floor: int, limit: int) -> Mapping[str, int]:
        """The articles that most people saved, at least `floor` and at most `limit` articles: their number, by public id."""
        ...


class SearchMarks(Protocol):
    """People's searches, to be counted. What is ever shown, at least `floor` distinct people have searched for within one UTC day."""

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
