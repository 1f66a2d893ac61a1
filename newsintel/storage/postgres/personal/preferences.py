"""The PreferenceStore port: people's preferences, as JSON values by key."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from newsintel.domain.personal.model import PutResult
from newsintel.domain.personal.preferences import MAX_KEYS
from newsintel.storage.postgres.accounts.accounts import LOCK_ACCOUNT
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pool import Connection, Postgres

ALL = "SELECT key, value::text FROM user_preferences WHERE user_id = $1 ORDER BY key"

FULL = """
SELECT count(*) >= $3 AND NOT coalesce(bool_or(key = $2), false)
FROM user_preferences WHERE user_id = $1
"""
PUT = """
INSERT INTO user_preferences (user_id, key, value, updated_at) VALUES ($1, $2, $3::text::jsonb, $4)
ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
RETURNING xmax = 0
"""

DELETE = "DELETE FROM user_preferences WHERE user_id = $1 AND key = $2"


class PostgresPreferences:
    """Preferences as rows. Every method is one unit of work, safe to repeat."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def get_all(self, user_id: int) -> Mapping[str, Any]:
        return await self._postgres.run(_get_all, user_id)

    async def put(self, user_id: int, key: str, value: Any, at: datetime) -> PutResult:
        return await self._postgres.run(
            _put, user_id, key, json.dumps(value, ensure_ascii=False), at
        )

    async def delete(self, user_id: int, key: str) -> bool:
        return await self._postgres.run(change_rows, DELETE, user_id, key) > 0


async def _get_all(connection: Connection, user_id: int) -> dict[str, Any]:
    """Return all preferences, read with orjson.

    orjson reads a whole number of more than 64 bits as a float. This is right: it was written as
    1e20, which PostgreSQL stores in digits.
    """
    kept = {}
    for key, value in await connection.fetch(ALL, user_id):
        kept[key] = orjson.loads(value)
        await asyncio.sleep(0)  # lets other tasks run: all values together may have 400 KiB
    return kept


async def _put(
    connection: Connection, user_id: int, key: str, value: str, at: datetime
) -> PutResult:
    async with connection.transaction():
        await connection.execute(LOCK_ACCOUNT, user_id)
        if await connection.fetchval(FULL, user_id, key, MAX_KEYS):
            return PutResult.FULL
        return (
            PutResult.NEW
            if await connection.fetchval(PUT, user_id, key, value, at)
            else PutResult.CHANGED
        )
