"""Holds the place of archive search until PostgreSQL fulfils it: a store that is away."""

# ruff: noqa: ARG002

from typing import NoReturn

from newsintel.archive_model import ArchiveQuery, Bucket, Position
from newsintel.errors import UnavailableError


class Unsearched:
    """An ArchiveSearch that cannot answer."""

    async def search(self, query: ArchiveQuery, limit: int, after: Position | None) -> NoReturn:
        """Raise UnavailableError."""
        raise UnavailableError("the archive cannot be searched yet")

    async def timeline(self, query: ArchiveQuery, bucket: Bucket) -> NoReturn:
        """Raise UnavailableError."""
        raise UnavailableError("the archive cannot be searched yet")

    async def facets(self, query: ArchiveQuery) -> NoReturn:
        """Raise UnavailableError."""
        raise UnavailableError("the archive cannot be searched yet")
