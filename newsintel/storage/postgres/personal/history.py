"""The History port: records answered searches, and deletes old ones."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from newsintel.domain.search.history import SearchRecord
from newsintel.storage.postgres.accounts.accounts import new_id
from newsintel.storage.postgres.pieces import delete_in_pieces
from newsintel.storage.postgres.pool import Connection, Postgres

# Searches of deleted accounts, and searches that their owners have cleared meanwhile, are left out.
# Because of the lock, a concurrent deletion or clearing waits for this statement, or this statement
# waits for it. So each sees what the other did. A search with the same text, owner and microsecond
# is one that was already written, when the spool or a lost connection repeats it.
RECORD = """
WITH owners AS (SELECT id, history_cleared_at FROM users WHERE id = ANY($5::bigint[]) FOR SHARE)
INSERT INTO search_history (query, key, results_count, searched_at, user_id, public_id)
SELECT query, key, results_count, searched_at, user_id, public_id
FROM unnest($1::text[], $2::text[], $3::integer[], $4::timestamptz[], $5::bigint[], $6::text[])
    AS row (query, key, results_count, searched_at, user_id, public_id)
LEFT JOIN owners ON owners.id = user_id
WHERE (user_id IS NULL
       OR owners.id IS NOT NULL
          AND (history_cleared_at IS NULL OR searched_at > history_cleared_at))
  AND NOT EXISTS (
      SELECT FROM search_history AS kept
      WHERE kept.searched_at = row.searched_at AND kept.key = row.key
        AND kept.query = row.query AND kept.user_id IS NOT DISTINCT FROM row.user_id
  )
"""

# SKIP LOCKED: searches that another process deletes now are skipped, without waiting.
PRUNE = """
DELETE FROM search_history WHERE id IN (
    SELECT id FROM search_history
    WHERE searched_at < $1 ORDER BY searched_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""
PRUNE_ROWS = 5_000
"""Rows that one transaction deletes. It took 17-24 ms on the embedded server (2 cores) with 300,000
rows in the table.
"""


class PostgresHistory:
    """Appends searches and deletes old ones."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def record_searches(self, searches: Sequence[SearchRecord]) -> None:
        if searches:
            await self._postgres.run(_record, [_build_row(search) for search in searches])

    async def prune_searches(self, before: datetime) -> int:
        """It deletes PRUNE_ROWS in each transaction, until none are left."""
        return await delete_in_pieces(self._postgres, PRUNE, before, most=PRUNE_ROWS)


def _build_row(search: SearchRecord) -> tuple[Any, ...]:
    """Return RECORD's parameters for a search; only an account's search has a public id."""
    public_id = None if search.user_id is None else new_id("h")
    return (
        search.query,
        search.key,
        search.results_count,
        search.searched_at,
        search.user_id,
        public_id,
    )


async def _record(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    await connection.execute(RECORD, *map(list, zip(*rows, strict=True)))
