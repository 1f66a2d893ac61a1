"""The History port: which searches were answered, for as long as that is kept."""

from collections.abc import Sequence
from datetime import datetime

from newsintel.model import SearchRecord
from newsintel.storage.postgres.pool import Connection, Postgres

RECORD = """
INSERT INTO search_history (query, key, results_count, searched_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::timestamptz[])
"""

# Searches that another process deletes at this moment are passed over, not waited for.
PRUNE = """
DELETE FROM search_history WHERE id IN (
    SELECT id FROM search_history WHERE searched_at < $1 ORDER BY searched_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""
PRUNE_ROWS = 5_000
"""Deleted in one transaction, which took 17-24 ms on the embedded server (2 cores) with 300,000 rows in the table."""


class PostgresHistory:
    """Appends searches and deletes old ones."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def record(self, searches: Sequence[SearchRecord]) -> None:
        """Append searches; they hold no person.

        Not tried again after a lost connection: a missing row is better than one that counts twice.
        """
        columns: list[tuple[str, str, int, datetime]] = [(s.query, s.key, s.results_count, s.searched_at) for s in searches]
        if columns:
            await self._postgres.run_once(_record, columns)

    async def prune(self, before: datetime) -> int:
        """Delete searches made before a moment, PRUNE_ROWS at a time, until no more are found."""
        pruned = 0
        while True:
            went = await self._postgres.run(_prune, before)
            pruned += went
            if went < PRUNE_ROWS:
                return pruned


async def _record(connection: Connection, rows: Sequence[tuple[str, str, int, datetime]]) -> None:
    await connection.execute(RECORD, *map(list, zip(*rows, strict=True)))


async def _prune(connection: Connection, before: datetime) -> int:
    status: str = await connection.execute(PRUNE, before, PRUNE_ROWS)
    return int(status.removeprefix("DELETE "))
