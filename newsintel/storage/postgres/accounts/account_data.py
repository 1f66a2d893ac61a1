"""The AccountData port: an account as a whole, for its export and its deletion."""

from collections.abc import Sequence

from newsintel.storage.postgres.alerts.ending import end_searches
from newsintel.storage.postgres.pool import Connection, Postgres

IDENTITIES = """
SELECT provider, subject FROM identities WHERE user_id = $1 ORDER BY provider, subject
"""
DELETE = "DELETE FROM users WHERE id = $1"


class PostgresAccountData:
    """Rows of accounts. `delete` is several units of work; every method is safe to repeat."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def list_identities(self, user_id: int) -> Sequence[tuple[str, str]]:
        return await self._postgres.run(_list_identities, user_id)

    async def delete(self, user_id: int) -> None:
        """The foreign keys delete the rows of every table that refers to the account.

        What its saved searches matched is deleted before, since that may be too much for one
        transaction.
        """
        await end_searches(self._postgres, user_id)
        await self._postgres.run(_delete, user_id)


async def _list_identities(connection: Connection, user_id: int) -> list[tuple[str, str]]:
    return [
        (row["provider"], row["subject"]) for row in await connection.fetch(IDENTITIES, user_id)
    ]


async def _delete(connection: Connection, user_id: int) -> None:
    await connection.execute(DELETE, user_id)
