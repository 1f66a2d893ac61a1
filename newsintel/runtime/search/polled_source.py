"""The source `feeds`: it answers a search from what was polled, by the archive's index."""

from attrs import define, evolve, field

from newsintel.domain.archive.model import ArchiveSort
from newsintel.domain.archive.ports import ArchiveSearch
from newsintel.domain.archive.query import build_fallback_query
from newsintel.domain.feeds.harvests import NAME
from newsintel.domain.feeds.ports import FeedStore
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.query_model import Query, Sort
from newsintel.errors import ArchiveTimeoutError, InvalidParameterError, UnavailableError

MOST_ARTICLES = 100
"""As many as other sources return at most."""


@define
class PolledSource:
    """Implements `Upstream` on PostgreSQL.

    Until the first feed has been read it is `overloaded`: an empty answer would look like no news.

    Attributes:
        archive: the archive, to which polled articles go.
        feeds: tells whether any feed has been read.
    """

    _archive: ArchiveSearch
    _feeds: FeedStore
    _is_read: bool = field(init=False, default=False)

    async def fetch(self, query: Query) -> SourcePage | Refusal:
        """Ask the archive."""
        order = ArchiveSort.NEWEST if query.sort is Sort.NEWEST else ArchiveSort.RELEVANCE
        asked = evolve(build_fallback_query(query, ()), sources=(NAME,), sort=order)
        try:
            page = await self._archive.search(asked, MOST_ARTICLES, None)
            if not page.hits and not await self._check_read():
                return Refusal(Status.OVERLOADED, "no feed has been read yet")
        except InvalidParameterError:  # only words that the archive does not index
            return SourcePage((), 0)
        except ArchiveTimeoutError as error:
            return Refusal(Status.TIMEOUT, str(error), query_fault=True)
        except UnavailableError:
            return Refusal(Status.UNREACHABLE, "the archive is away")
        return SourcePage(tuple(hit.article for hit in page.hits), len(page.hits))

    def list_ignored_parameters(self, query: Query) -> tuple[str, ...]:
        """Popularity: feeds do not count readers."""
        return ("sort",) if query.sort is Sort.POPULAR else ()

    async def keep_ready(self) -> None:
        """Nothing needs upkeep."""

    async def _check_read(self) -> bool:
        """Return whether any feed has been read. Once true, it is not asked again."""
        self._is_read = self._is_read or await self._feeds.is_read()
        return self._is_read
