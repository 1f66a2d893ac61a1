"""Protocols of the stores for intelligence that routes and actors use.

Every method runs on trio. Its only expected errors are `UnavailableError`, `BusyError` if no slot
was free, and `ArchiveTimeoutError` if its time limit passed.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from newsintel.domain.intelligence.interest_model import (
    CandidateQuery,
    Deed,
    ProfileMatch,
    UnseenArticle,
)
from newsintel.domain.intelligence.likeness_model import SimilarArticle
from newsintel.domain.intelligence.search_counts import (
    MarkedSearch,
    MarksFinder,
    ObservedQuery,
    QueryRelation,
    Trend,
    TrendWindow,
)
from newsintel.domain.search.article import Article


class Likeness(Protocol):
    """Finds similar articles in the archive.

    A term is a lexeme, a word as the archive's search indexes it. It is significant if few articles
    have it. A weight is above 0. Weights can be compared within a text and between texts.
    """

    async def find_similar_by_id(
        self, article_id: str, limit: int
    ) -> tuple[SimilarArticle, ...] | None:
        """Return the articles most similar to one, best first, without its duplicates.

        None if the archive does not have the article.
        """
        ...

    async def find_similar_to(self, article: Article, limit: int) -> tuple[SimilarArticle, ...]:
        """Do the same for an article that may be missing in the archive."""
        ...

    async def find_key_terms(
        self, texts: Sequence[str], each: int
    ) -> Sequence[Mapping[str, float]]:
        """Return the `each` most significant terms, with weights, of each text that people wrote.

        The results are in the order of the texts. A text of only stop words has no terms.
        """
        ...


class Reading(Protocol):
    """Reads what people did with articles, and which articles may be new to them."""

    async def list_deeds(self, user_id: int) -> Sequence[Deed]:
        """Return a person's latest deeds of each kind, except topics."""
        ...

    async def find_by_terms(self, wanted: CandidateQuery, limit: int) -> Sequence[ProfileMatch]:
        """Return about the `limit` newest articles that share enough terms, or all if fewer do."""
        ...

    async def load_unseen(
        self, user_id: int, article_ids: Sequence[str]
    ) -> Mapping[str, UnseenArticle]:
        """Return by public id those articles that the person has not saved, opened or dismissed.

        Articles with a duplicate that the person has saved, opened or dismissed are left out.
        """
        ...

    async def list_most_covered(self, limit: int) -> Sequence[tuple[str, str, int]]:
        """Return the newest articles with the most duplicates: public id, title and number.

        On ties the newest comes first.
        """
        ...


class TermCounts(Protocol):
    """Counts in how many articles each term occurs, for the term counter."""

    async def apply_changes(self) -> int:
        """Add at most one batch of changes to the counts and return their number.

        It is 0 while another process does the same.
        """
        ...


class SaveCounts(Protocol):
    """Counts how many people saved each article, for the save counter."""

    async def count_saves(self, floor: int, limit: int) -> Mapping[str, int]:
        """Return how many people saved an article, by public id, for the `limit` most saved.

        Articles saved by fewer than `floor` people are left out.
        """
        ...


class SearchMarks(Protocol):
    """Stores people's searches for counting.

    A search is shown only if at least `floor` distinct people searched for it within one UTC day.
    """

    async def add(self, searches: Sequence[MarkedSearch]) -> None:
        """Store marks. Idempotent.

        Marks of deleted accounts, and of people who have cleared their searches since, are left
        out.
        """
        ...

    async def forget_person(self, marks_of: MarksFinder) -> None:
        """Remove a person from all counts of the open days, and queries that then have no people.

        A trend that included the person is not shown until it has been counted again.
        """
        ...

    async def close_days(self, today: date, floor: int) -> int:
        """Turn the days before the open ones into counts and delete their marks.

        Counts below the floor and old counts are deleted, too. Two processes can share the work.

        Returns:
            How many marks were deleted.
        """
        ...


class Trending(Protocol):
    """Prepared lists of queries that are searched for more than usual."""

    async def rebuild_list(
        self,
        span: TrendWindow,
        now: datetime,
        floor: int,
        rank: Callable[[Sequence[ObservedQuery]], Sequence[Trend]],
    ) -> bool:
        """Make the list of a window again; False if a process has just done so.

        Args:
            span: the window.
            now: the end of the window.
            floor: the number of distinct people that a UTC day's part of the window needs to count.
            rank: a pure function that selects and sorts.
        """
        ...

    async def list_top(self, span: TrendWindow, floor: int, limit: int) -> Sequence[Trend]:
        """Return the first entries of a window's list as it was last made."""
        ...


class RelatedSearches(Protocol):
    """Finds related searches."""

    async def find_related(
        self, seeds: Sequence[str], today: date, floor: int, *, own: bool
    ) -> Sequence[QueryRelation]:
        """Return queries that share people or articles with any of the seeds.

        Args:
            seeds: in normal form.
            today: the UTC day.
            floor: the number of distinct people that a query, and a pair of queries, needs within
                one day.
            own: the seeds are the caller's own searches. Otherwise a seed below the floor has no
                kin: the result must not show whether anybody searched for it.
        """
        ...
