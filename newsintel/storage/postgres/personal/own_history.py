"""The OwnHistory port: the searches of one account, which their owner can read and delete."""

from collections.abc import Sequence
from datetime import datetime

from newsintel.domain.paging import Position
from newsintel.domain.personal.model import PastSearch, PastSearches
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pieces import delete_in_pieces
from newsintel.storage.postgres.pool import Connection, Postgres

PAGE = """
SELECT public_id, query, results_count, searched_at FROM search_history
WHERE user_id = $1
  AND ($2::timestamptz IS NULL
       OR searched_at <= $2 AND (searched_at < $2 OR public_id > $3::text))
ORDER BY searched_at DESC, public_id LIMIT $4
"""

DELETE = "DELETE FROM search_history WHERE user_id = $1 AND public_id = $2"

LONE_KEYS = """
SELECT DISTINCT key FROM search_history AS own
WHERE user_id = $1 AND searched_at >= $2 AND NOT EXISTS (
    SELECT FROM search_history AS other
    WHERE other.searched_at >= $2 AND other.key = own.key AND other.user_id IS DISTINCT FROM $1
)
"""

# MARK runs first, so that the recorder does not write an older search afterwards that it still
# holds: see history.RECORD.
MARK = "UPDATE users SET history_cleared_at = greatest(history_cleared_at, $2) WHERE id = $1"
CLEAR = """
DELETE FROM search_history WHERE id IN (
    SELECT id FROM search_history WHERE user_id = $1 AND searched_at <= $2 LIMIT $3
)
"""
CLEAR_ROWS = 5_000
"""Rows that one transaction deletes, in about 20 ms, as in `history`."""


class PostgresOwnHistory:
    """One account's searches as rows.

    Every method but `clear` is one unit of work; all are safe to repeat.
    """

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def list_page(self, user_id: int, limit: int, after: Position | None) -> PastSearches:
        return await self._postgres.run(_read_page, user_id, limit, after)

    async def delete(self, user_id: int, search_id: str) -> bool:
        return await self._postgres.run(change_rows, DELETE, user_id, search_id) > 0

    async def find_lone_keys(self, user_id: int, since: datetime) -> Sequence[str]:
        return await self._postgres.run(_find_lone_keys, user_id, since)

    async def clear(self, user_id: int, until: datetime) -> None:
        await self._postgres.run(_mark, user_id, until)
        await delete_in_pieces(self._postgres, CLEAR, user_id, until, most=CLEAR_ROWS)


async def _read_page(
    connection: Connection, user_id: int, limit: int, after: Position | None
) -> PastSearches:
    searched_at, search_id = (
        (datetime.fromisoformat(str(after.keys[0])), after.keys[1]) if after else (None, None)
    )
    rows = await connection.fetch(PAGE, user_id, searched_at, search_id, limit + 1)
    searches = tuple(PastSearch(*row) for row in rows[:limit])
    return PastSearches(
        searches,
        Position((searches[-1].searched_at.isoformat(), searches[-1].id))
        if len(rows) > limit
        else None,
    )


async def _find_lone_keys(connection: Connection, user_id: int, since: datetime) -> list[str]:
    return [row["key"] for row in await connection.fetch(LONE_KEYS, user_id, since)]


async def _mark(connection: Connection, user_id: int, until: datetime) -> None:
    await connection.execute(MARK, user_id, until)
