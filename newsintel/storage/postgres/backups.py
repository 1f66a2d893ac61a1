"""Backups of the whole database, in the custom format of PostgreSQL's pg_dump.

So PostgreSQL's own programs can read a backup, and newsintel can restore one of theirs.
"""

import re
from collections.abc import Callable, Coroutine
from typing import IO, Any, TypeVar

import asyncpg
from attrs import frozen

from newsintel.errors import NewsIntelError
from newsintel.storage.bridge import Lane
from newsintel.storage.postgres.client_programs import (
    DatabaseAccess,
    build_connection,
    build_environ,
    find_program,
    run_program,
)
from newsintel.storage.postgres.connecting import close_connection, connect_arguments
from newsintel.storage.postgres.failures import FORESEEN, translate
from newsintel.storage.postgres.pool import Connection

T = TypeVar("T")

LOCK_WAIT_MS = 30_000
"""How long pg_dump waits for a table that a migration changes."""

COUNT_RELATIONS = r"""
SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass
    AND objid = pg_class.oid AND deptype = 'e'
)
"""
"""Tables, views and sequences that belong neither to PostgreSQL nor to an extension."""


@frozen
class Backups:
    """Writes and restores backups of one database.

    Attributes:
        lane: the lane of the bridge for questions to the server.
        access: the database.
    """

    lane: Lane
    access: DatabaseAccess

    async def dump(self, out: IO[bytes]) -> str:
        """Write a backup of everything, as of one moment; return the schema's version.

        The service may run on.

        Raises:
            NewsIntelError: the server cannot be reached, has no schema, or pg_dump failed.
        """
        schema = await self._ask(_read_schema)
        program = await find_program("pg_dump", await self._ask(_read_major), self.access)
        await run_program(
            program,
            "--format=custom",
            "--no-password",
            f"--lock-wait-timeout={LOCK_WAIT_MS}",
            f"--dbname={build_connection(self.access)}",
            environ=build_environ(self.access),
            out=out,
        )
        return schema

    async def restore(self, file: str) -> str:
        """Restore a backup into an empty database, all or nothing; return its schema's version.

        The role of the URL owns everything then. No other role has rights yet: a migration grants
        them.

        Raises:
            NewsIntelError: the database is not empty, the file is not a backup of newsintel or too
                new for the server, or pg_restore failed.
        """
        major = await self._ask(_read_major)
        if relations := await self._ask(_count_relations):
            raise NewsIntelError(
                f"the database is not empty (tables, views and sequences: {relations}): "
                "restore into a new one"
            )
        program = await find_program("pg_restore", major, self.access)
        environ = build_environ(self.access)
        check_contents(
            file, (await run_program(program, "--list", file, environ=environ)).decode(), major
        )
        await run_program(
            program,
            "--no-owner",
            "--no-privileges",
            "--single-transaction",
            "--exit-on-error",
            "--no-password",
            f"--dbname={build_connection(self.access)}",
            file,
            environ=environ,
        )
        await self._ask(_analyze)
        return await self._ask(_read_schema)

    async def _ask(self, question: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        return await self.lane.run(_ask, self.access, question)


def check_contents(file: str, contents: str, major: int) -> None:
    """Check the list that `pg_restore --list` prints of a backup.

    Raises:
        NewsIntelError: it is not a backup of newsintel, or a newer PostgreSQL wrote it.
    """
    if not re.search(r"^\d+; .* TABLE \S+ alembic_version ", contents, re.MULTILINE):
        raise NewsIntelError(f"{file} is not a backup of newsintel: it has no alembic_version")
    written = re.search(r"^; +Dumped by pg_dump version: (\d+)", contents, re.MULTILINE)
    if written and int(written[1]) > major:
        raise NewsIntelError(
            f"{file} was written by PostgreSQL {written[1]}, and the server is {major}: "
            "restore it into the same version or a newer one"
        )


async def _ask(
    access: DatabaseAccess, question: Callable[[Connection], Coroutine[Any, Any, T]]
) -> T:
    try:
        connection = await asyncpg.connect(
            **connect_arguments(
                access.parsed, access.password, {"application_name": "newsintel backup"}
            )
        )
        try:
            return await question(connection)
        finally:
            # This is asyncio's side of the bridge, which no trio cancel reaches.
            await close_connection(connection)  # noqa: ASYNC102
    except FORESEEN as error:
        raise translate(error) from error


async def _read_schema(connection: Connection) -> str:
    version: str = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
    return version


async def _read_major(connection: Connection) -> int:
    major: int = connection.get_server_version().major
    return major


async def _count_relations(connection: Connection) -> int:
    count: int = await connection.fetchval(COUNT_RELATIONS)
    return count


async def _analyze(connection: Connection) -> None:
    """Collect the planner's statistics, which a backup does not have."""
    await connection.execute("ANALYZE")
