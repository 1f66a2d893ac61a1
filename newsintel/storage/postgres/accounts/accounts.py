"""The Accounts port: signs people in, and finds the account of a session or key."""

import base64
import secrets
from contextlib import suppress
from datetime import datetime, timedelta

import asyncpg
from asyncpg import Record

from newsintel.domain.accounts.model import Access, Account
from newsintel.storage.postgres.pool import Connection, Postgres

USED_EVERY = timedelta(minutes=1)

LOCK_ACCOUNT = "SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE"
"""One transaction at a time for each account: two at once could both take the last place of a
list."""

ACCOUNT_COLUMNS = """
users.id, users.public_id, users.username, identities.provider, users.created_at,
users.last_login_at
"""

ACCOUNT = f"""
SELECT {ACCOUNT_COLUMNS} FROM users JOIN identities ON identities.user_id = users.id
WHERE users.public_id = $1 LIMIT 1
"""  # noqa: S608 - our own column names

OF_IDENTITY = f"""
SELECT {ACCOUNT_COLUMNS} FROM users JOIN identities ON identities.user_id = users.id
WHERE identities.provider = $1 AND identities.subject = $2
"""  # noqa: S608 - our own column names

KEY_HOLDER = f"""
SELECT {ACCOUNT_COLUMNS}, api_keys.scope, api_keys.last_used_at FROM api_keys
JOIN users ON users.id = api_keys.user_id
JOIN identities ON identities.user_id = users.id
WHERE api_keys.digest = $1 AND (api_keys.expires_at IS NULL OR api_keys.expires_at > $2)
LIMIT 1
"""  # noqa: S608 - our own column names

# One write a minute is enough. Of twenty concurrent requests, one writes.
TOUCH_KEY = """
UPDATE api_keys SET last_used_at = $2
WHERE digest = $1
  AND (last_used_at IS NULL OR last_used_at <= $2::timestamptz - interval '1 minute')
"""

# Because of this lock, two concurrent first sign-ins of one person create one account.
LOCK_IDENTITY = "SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0))"

SIGNED_IN = f"""
UPDATE users SET username = $3, last_login_at = greatest(users.last_login_at, $4) FROM identities
WHERE identities.provider = $1 AND identities.subject = $2 AND users.id = identities.user_id
RETURNING {ACCOUNT_COLUMNS}
"""  # noqa: S608 - our own column names

KNOWN = "SELECT true FROM identities WHERE provider = $1 AND subject = $2"
INSERT_USER = """
INSERT INTO users (public_id, username, created_at, last_login_at) VALUES ($1, $2, $3, $3)
RETURNING id
"""
INSERT_IDENTITY = "INSERT INTO identities (provider, subject, user_id) VALUES ($1, $2, $3)"


class PostgresAccounts:
    """Accounts as rows."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def get_account(self, public_id: str) -> Account | None:
        row = await self._postgres.run(_fetch_row, ACCOUNT, public_id)
        return _build_account(row) if row else None

    async def find_by_identity(self, provider: str, subject: str) -> Account | None:
        row = await self._postgres.run(_fetch_row, OF_IDENTITY, provider, subject)
        return _build_account(row) if row else None

    async def find_key_holder(self, digest: str, now: datetime) -> tuple[Account, Access] | None:
        row = await self._postgres.run(_find_key_holder, digest, now)
        return (_build_account(row), Access(row["scope"])) if row else None

    async def sign_in(self, provider: str, subject: str, username: str, now: datetime) -> Account:
        return _build_account(await self._postgres.run(_sign_in, provider, subject, username, now))


async def _fetch_row(connection: Connection, statement: str, *arguments: object) -> Record | None:
    row: Record | None = await connection.fetchrow(statement, *arguments)
    return row


async def _find_key_holder(connection: Connection, digest: str, now: datetime) -> Record | None:
    row = await _fetch_row(connection, KEY_HOLDER, digest, now)
    if row and (row["last_used_at"] is None or now - row["last_used_at"] >= USED_EVERY):
        with suppress(
            asyncpg.ReadOnlySQLTransactionError, asyncpg.LockNotAvailableError
        ):  # a key also works while the server is read-only or the row is locked
            await connection.execute(TOUCH_KEY, digest, now)
    return row


async def _sign_in(
    connection: Connection, provider: str, subject: str, username: str, now: datetime
) -> Record:
    async with connection.transaction():
        await connection.execute(LOCK_IDENTITY, provider, subject)
        if not await connection.fetchval(KNOWN, provider, subject):
            user_id = await connection.fetchval(INSERT_USER, new_id("u"), username, now)
            await connection.execute(INSERT_IDENTITY, provider, subject, user_id)
        row: Record = await connection.fetchrow(SIGNED_IN, provider, subject, username, now)
        return row


def new_id(kind: str) -> str:
    """Return a public id such as `u_` and 20 lower-case base32 characters (100 random bits)."""
    return f"{kind}_{base64.b32encode(secrets.token_bytes(13)).decode().lower()[:20]}"


def _build_account(row: Record) -> Account:
    return Account(
        row["id"],
        row["public_id"],
        row["username"],
        row["provider"],
        row["created_at"],
        row["last_login_at"],
    )
