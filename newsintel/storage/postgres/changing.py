"""Runs one statement that changes rows, and counts them."""

from newsintel.storage.postgres.pool import Connection


async def change_rows(connection: Connection, statement: str, *values: object) -> int:
    """Run an UPDATE or a DELETE; return how many rows it changed.

    PostgreSQL's command tag says so: `UPDATE 3`, `DELETE 0` (protocol, CommandComplete).
    """
    status: str = await connection.execute(statement, *values)
    return int(status.rpartition(" ")[2])
