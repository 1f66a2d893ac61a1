"""The TokenStore port: providers' tokens as rows, encrypted in the database."""

from collections.abc import Callable

from asyncpg import Record

from newsintel.domain.accounts.model import Tokens
from newsintel.domain.security.sealing import Sealer
from newsintel.errors import UnknownKeyError
from newsintel.storage.postgres.pool import Connection, Postgres

PUT = """
INSERT INTO provider_tokens (user_id, provider, access_token, refresh_token, expires_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id, provider) DO UPDATE SET
    access_token = excluded.access_token,
    refresh_token = excluded.refresh_token,
    expires_at = excluded.expires_at
"""
TAKE = """
DELETE FROM provider_tokens WHERE user_id = $1 AND provider = $2
RETURNING access_token, refresh_token, expires_at
"""

PAGE = """
SELECT user_id, provider, access_token, refresh_token FROM provider_tokens
WHERE (user_id, provider) > ($1, $2) ORDER BY user_id, provider LIMIT $3
"""
# A row that was changed meanwhile is left alone: a running service has sealed it with the newest
# key.
RESEAL = """
UPDATE provider_tokens SET access_token = $5, refresh_token = $6
WHERE user_id = $1 AND provider = $2
  AND access_token = $3 AND refresh_token IS NOT DISTINCT FROM $4
"""
PAGE_ROWS = 200


class PostgresTokens:
    """Tokens in PostgreSQL."""

    def __init__(self, postgres: Postgres, sealer: Callable[[], Sealer]) -> None:
        self._postgres = postgres
        self._sealer = sealer

    async def put(self, user_id: int, provider: str, tokens: Tokens) -> None:
        sealed = [
            text
            if text is None
            else self._sealer().seal(text, _belongs_to(user_id, provider, field))
            for field, text in (
                ("access_token", tokens.access_token),
                ("refresh_token", tokens.refresh_token),
            )
        ]
        await self._postgres.run(_execute, PUT, user_id, provider, *sealed, tokens.expires_at)

    async def take(self, user_id: int, provider: str) -> Tokens | None:
        row = await self._postgres.run_once(_fetch, TAKE, user_id, provider)
        if not row:
            return None
        opened = [
            self._open(row[0], user_id, provider, field)
            for field in ("access_token", "refresh_token")
        ]
        return Tokens(opened[0] or "", opened[1], row[0]["expires_at"])

    async def reseal_all(self) -> int:
        resealed, after, unknown = 0, (0, ""), None
        while rows := await self._postgres.run(_fetch, PAGE, *after, PAGE_ROWS):
            for row in rows:
                after = (row["user_id"], row["provider"])
                try:
                    resealed += await self._reseal(row)
                except UnknownKeyError as error:
                    unknown = error
        if unknown is not None:
            raise unknown
        return resealed

    async def _reseal(self, row: Record) -> bool:
        user_id, provider, *old = row
        if all(value is None or self._sealer().is_newest(value) for value in old):
            return False
        new = []
        for field in ("access_token", "refresh_token"):
            text = self._open(row, user_id, provider, field)
            new.append(
                text
                if text is None
                else self._sealer().seal(text, _belongs_to(user_id, provider, field))
            )
        await self._postgres.run(_execute, RESEAL, user_id, provider, *old, *new)
        return True

    def _open(self, row: Record, user_id: int, provider: str, field: str) -> str | None:
        return (
            None
            if row[field] is None
            else self._sealer().open(row[field], _belongs_to(user_id, provider, field))
        )


def _belongs_to(user_id: int, provider: str, field: str) -> str:
    return f"{user_id} {provider} {field}"


async def _execute(connection: Connection, statement: str, *arguments: object) -> None:
    await connection.execute(statement, *arguments)


async def _fetch(connection: Connection, statement: str, *arguments: object) -> list[Record]:
    rows: list[Record] = await connection.fetch(statement, *arguments)
    return rows
