"""The History port: which searches were answered."""

from collections.abc import Sequence
from datetime import datetime

from newsintel.model import SearchRecord
from newsintel.storage.postgres.pool import Connection, Postgres

RECORD = """
INSERT INTO search_history (query, key, results_count, searched_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::timestamptz[])
"""


class PostgresHistory:
    """Appends searches. Not tried again after a lost connection: a missing row is better than one that counts twice."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def record(self, searches: Sequence[SearchRecord]) -> None:
        """Append searches; they hold no person."""
        columns: list[tuple[str, str, int, datetime]] = [(s.query, s.key, s.results_count, s.searched_at) for s in searches]
        if columns:
            await self._postgres.run_once(_record, columns)


async def _record(connection: Connection, rows: Sequence[tuple[str, str, int, datetime]]) -> None:
    await connection.execute(RECORD, *map(list, zip(*rows, strict=True)))
