"""What actors and routes need of the archive, as Protocols."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from newsintel.domain.archive.model import ArchivePage, ArchiveQuery, Bar, Bucket, Facets, Hit
from newsintel.domain.paging import Position
from newsintel.domain.search.article import ArchivedArticle, Article, Pair


class Archive(Protocol):
    """PostgreSQL, as the persister and the desk see it."""

    async def save(self, articles: Sequence[tuple[Article, datetime]], pairs: Sequence[Pair]) -> int:
        """Upsert articles with the time each was fetched, then pairs between archived articles; idempotent.

        Returns:
            How many articles the archive had never seen.

        Raises:
            PoisonedBatchError: the content of a row was refused; nothing of the call was kept.
        """
        ...

    async def bury(self, article: Article, reason: str) -> None:
        """Keep an article that can never be saved where an operator can find it, with the reason."""
        ...

    async def article(self, article_id: str) -> ArchivedArticle | None:
        """One article by its public id."""
        ...


class ArchiveDump(Protocol):
    """PostgreSQL, as an export sees it."""

    async def page(self, after: str | None, limit: int) -> tuple[Hit, ...]:
        """The articles archived next after one (None: from the first), in the order in which they came; () after the last."""
        ...


class TextIndex(Protocol):
    """PostgreSQL, as the indexer sees it."""

    async def read_some(self) -> int:
        """Read the words of some articles of which they are still to be read, the latest first; how many that were."""
        ...


class ArchiveSearch(Protocol):
    """PostgreSQL, as the archive's routes and the merger see it.

    Each method also raises `ArchiveTimeoutError` when a query takes longer than it may.
    """

    async def search(self, query: ArchiveQuery, limit: int, after: Position | None) -> ArchivePage:
        """Up to `limit` matches after a position, in the query's order; without words wanted, relevance is newest first.

        Raises:
            InvalidParameterError: the query has stop words alone.
        """
        ...

    async def timeline(self, query: ArchiveQuery, bucket: Bucket) -> tuple[Bar, ...]:
        """Matches per bucket, from the first wanted moment (or match) to the last, empty buckets included.

        Raises:
            InvalidParameterError: it would be more than 1,000 buckets (names `bucket`), or the query has stop words alone.
        """
        ...

    async def facets(self, query: ArchiveQuery) -> Facets:
        """The commonest sources and publishers among the newest 10,000 matches or somewhat more; among all if there are fewer.

        Raises:
            InvalidParameterError: the query has stop words alone.
        """
        ...

    async def held(self, sources: Sequence[str]) -> frozenset[str]:
        """Those of some sources of which there are articles."""
        ...
