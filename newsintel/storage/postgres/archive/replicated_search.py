"""The ArchiveSearch port on a replica, with the primary behind it.

A replica is some milliseconds behind, or more if it is busy. So only searches of the archive read
from it: one article by its id, and all that people save, come from the primary.
"""

from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import TypeVar

import trio

from newsintel.domain.archive.model import ArchivePage, ArchiveQuery, Bar, Bucket, Facets
from newsintel.domain.archive.ports import ArchiveSearch
from newsintel.domain.paging import Position
from newsintel.errors import ArchiveTimeoutError, BusyError, UnavailableError

T = TypeVar("T")

PAUSE_S = 5.0
"""So long after a failure the primary answers at once. A frozen replica takes two seconds to fail.
"""


class ReplicatedSearch:
    """Reads from the replica, and while it fails from the primary.

    A query that is too slow for the replica, or finds no free slot there, is not passed on: the
    primary must not get what the replica has too much of.
    """

    def __init__(self, replica: ArchiveSearch, primary: ArchiveSearch) -> None:
        self._replica = replica
        self._primary = primary
        self._away_until_s = -inf

    async def search(self, query: ArchiveQuery, limit: int, after: Position | None) -> ArchivePage:
        return await self._read(lambda archive: archive.search(query, limit, after))

    async def count_timeline(self, query: ArchiveQuery, bucket: Bucket) -> tuple[Bar, ...]:
        return await self._read(lambda archive: archive.count_timeline(query, bucket))

    async def count_facets(self, query: ArchiveQuery) -> Facets:
        return await self._read(lambda archive: archive.count_facets(query))

    async def find_archived_sources(self, sources: Sequence[str]) -> frozenset[str]:
        return await self._read(lambda archive: archive.find_archived_sources(sources))

    async def _read(self, ask: Callable[[ArchiveSearch], Awaitable[T]]) -> T:
        if trio.current_time() >= self._away_until_s:
            try:
                return await ask(self._replica)
            except (ArchiveTimeoutError, BusyError):
                raise
            except UnavailableError:  # the pool's log says why
                self._away_until_s = trio.current_time() + PAUSE_S
        return await ask(self._primary)
