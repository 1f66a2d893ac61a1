"""The BulkFiles port: leases of files, and the files that are done."""

from newsintel.storage.postgres.pool import Connection, Postgres

TAKE = """
INSERT INTO gdelt_files AS kept (name, taken_until)
VALUES ($1, now() + make_interval(secs => $2))
ON CONFLICT (name) DO UPDATE SET taken_until = excluded.taken_until
WHERE kept.done_at IS NULL AND kept.taken_until <= now()
RETURNING name
"""
FINISH = "UPDATE gdelt_files SET done_at = now() WHERE name = $1"

# A list names the newest files only, so older names never come again.
FORGET = "DELETE FROM gdelt_files WHERE taken_until < now() - interval '2 days'"


class PostgresBulkFiles:
    """Lets one process at a time read a file."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def take(self, name: str, lease_s: float) -> bool:
        return await self._postgres.run(_take, name, lease_s)

    async def finish(self, name: str) -> None:
        await self._postgres.run(_finish, name)


async def _take(connection: Connection, name: str, lease_s: float) -> bool:
    return await connection.fetchval(TAKE, name, lease_s) is not None


async def _finish(connection: Connection, name: str) -> None:
    async with connection.transaction():
        await connection.execute(FINISH, name)
        await connection.execute(FORGET)
