"""Protocols of the archive that actors and routes use."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen

from newsintel.domain.archive.model import ArchivePage, ArchiveQuery, Bar, Bucket, Facets, Hit
from newsintel.domain.paging import Position
from newsintel.domain.search.article import ArchivedArticle, Article, Pair


class Archive(Protocol):
    """The archive in PostgreSQL, for the persister and the desk."""

    async def save_articles(
        self, articles: Sequence[tuple[Article, datetime]], pairs: Sequence[Pair]
    ) -> int:
        """Upsert articles with the times of their fetch, then pairs of archived articles.

        Idempotent.

        Returns:
            How many articles were new to the archive.

        Raises:
            PoisonedBatchError: PostgreSQL refused the content of a row. Nothing was stored.
        """
        ...

    async def store_dead_letter(self, article: Article, reason: str) -> None:
        """Put aside an article that can never be saved, with the reason, for operators to find."""
        ...

    async def get_article(self, article_id: str) -> ArchivedArticle | None:
        """Return one article by its public id."""
        ...


class ArticlePruning(Protocol):
    """The archive in PostgreSQL, for the janitor."""

    async def prune_source(self, source: str, before: datetime) -> int:
        """Delete a source's articles that were last fetched before a time.

        Articles that a person has saved stay.

        Returns:
            How many were deleted.
        """
        ...


@frozen
class DueCheck:
    """An article whose source must be asked whether it still has it.

    Attributes:
        article_id: the public id.
        external_id: the source's id.
    """

    article_id: str
    external_id: str


class ArticleChecks(Protocol):
    """Which articles must be checked at their source, in PostgreSQL."""

    async def take_due(self, source: str, limit: int) -> Sequence[DueCheck]:
        """Take up to `limit` articles that are due, the longest waiting first.

        Other processes do not get them for some minutes. If they are not finished by then, they
        are due again.
        """
        ...

    async def finish(
        self, *, kept: Sequence[str], anonymous: Sequence[str], gone: Sequence[str]
    ) -> None:
        """Note the results of checks, by public id.

        Args:
            kept: the source still has these articles; they are due again after a day.
            anonymous: those of them whose author the source no longer names; ours is removed.
            gone: the source no longer has these; they are deleted.
        """
        ...


class SpoolEntry(Protocol):
    """An entry that this process has taken from the spool. Others do not get it meanwhile.

    If this process dies, another one gets the entry.
    """

    @property
    def data(self) -> bytes:
        """The bytes that were added."""
        ...

    async def remove(self) -> None:
        """Remove the entry: its contents are saved. Harmless if it was removed before."""
        ...

    async def give_back(self) -> None:
        """Let this or another process take the entry again at once."""
        ...

    async def set_aside(self) -> None:
        """Keep the entry, and take others first: this version cannot read it."""
        ...


class SpoolPlace(Protocol):
    """One of the places where entries wait for PostgreSQL, bounded in bytes.

    Attributes:
        name: `redis` or `file`.
        size_bytes: the bytes that wait there, as last seen.
    """

    name: str
    size_bytes: int

    async def add(self, data: bytes) -> None:
        """Append an entry. After the return it survives the end of this process.

        Raises:
            SpoolFullError: it would exceed the bound.
        """
        ...

    async def take(self) -> SpoolEntry | None:
        """Take the oldest entry that no other process works on; None if there is none."""
        ...


class ArchiveDump(Protocol):
    """The archive in PostgreSQL, for an export."""

    async def read_page(self, after: str | None, limit: int) -> tuple[Hit, ...]:
        """Return the articles archived after a given one (None: from the first); () after the last.

        They are in the order in which they were archived.
        """
        ...


class TextIndex(Protocol):
    """The archive in PostgreSQL, for the indexer."""

    async def index_batch(self) -> int:
        """Index the words of some articles that are not indexed yet, the latest first.

        Returns:
            How many articles were indexed.
        """
        ...


class StoryGroups(Protocol):
    """The stories of the archive in PostgreSQL, for the grouper."""

    async def place_batch(self) -> int:
        """Find the stories of some articles that have none yet, the earliest first.

        Returns:
            How many articles were placed.
        """
        ...


class ArchiveSearch(Protocol):
    """The archive in PostgreSQL, for the archive's routes and the merger.

    Each method also raises `ArchiveTimeoutError` if a query exceeds its time limit.
    """

    async def search(self, query: ArchiveQuery, limit: int, after: Position | None) -> ArchivePage:
        """Return up to `limit` matches after a position, in the query's order.

        Without wanted words, relevance means newest first.

        Raises:
            InvalidParameterError: the query has only stop words.
        """
        ...

    async def count_timeline(self, query: ArchiveQuery, bucket: Bucket) -> tuple[Bar, ...]:
        """Return the matches per bucket, from the first wanted time (or match) to the last.

        Empty buckets are included.

        Raises:
            InvalidParameterError: there would be more than 1,000 buckets (names `bucket`), or the
                query has only stop words.
        """
        ...

    async def count_facets(self, query: ArchiveQuery) -> Facets:
        """Return the most frequent sources and publishers among the newest matches.

        It counts all matches if there are at most 10,000, else 10,000 or somewhat more.

        Raises:
            InvalidParameterError: the query has only stop words.
        """
        ...

    async def find_archived_sources(self, sources: Sequence[str]) -> frozenset[str]:
        """Return those sources that have articles in the archive."""
        ...
