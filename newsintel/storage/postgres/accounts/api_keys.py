"""The ApiKeys port: keys with which programs act for an account.

The database stores only the SHA-256 of a key.
"""

from asyncpg import Record
from attrs import evolve

from newsintel.domain.accounts.model import Access, ApiKey
from newsintel.storage.postgres.accounts.accounts import new_id
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pool import Connection, Postgres

# This locks the account's row, so that two concurrent requests cannot both take the last place.
ROOM = "SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE"
TAKEN = "SELECT count(*) FROM api_keys WHERE user_id = $1"
MAKE = """
INSERT INTO api_keys (public_id, user_id, digest, name, scope, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
LIST = """
SELECT public_id, name, scope, created_at, expires_at, last_used_at FROM api_keys
WHERE user_id = $1 ORDER BY created_at DESC, id DESC
"""
REVOKE = "DELETE FROM api_keys WHERE user_id = $1 AND public_id = $2"


class PostgresKeys:
    """API keys as rows."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def create(self, user_id: int, key: ApiKey, digest: str, most: int) -> ApiKey | None:
        named = evolve(key, public_id=new_id("k"))
        return named if await self._postgres.run_once(_make, user_id, named, digest, most) else None

    async def list_of_user(self, user_id: int) -> tuple[ApiKey, ...]:
        return tuple(_key(row) for row in await self._postgres.run(_list, user_id))

    async def revoke(self, user_id: int, public_id: str) -> bool:
        return await self._postgres.run_once(change_rows, REVOKE, user_id, public_id) > 0


async def _make(connection: Connection, user_id: int, key: ApiKey, digest: str, most: int) -> bool:
    async with connection.transaction():
        if (
            not await connection.fetchval(ROOM, user_id)
            or await connection.fetchval(TAKEN, user_id) >= most
        ):
            return False
        await connection.execute(
            MAKE,
            key.public_id,
            user_id,
            digest,
            key.name,
            key.access.value,
            key.created_at,
            key.expires_at,
        )
        return True


async def _list(connection: Connection, user_id: int) -> list[Record]:
    rows: list[Record] = await connection.fetch(LIST, user_id)
    return rows


def _key(row: Record) -> ApiKey:
    access = Access(row["scope"])
    return ApiKey(
        row["public_id"],
        row["name"],
        access,
        row["created_at"],
        row["expires_at"],
        row["last_used_at"],
    )
