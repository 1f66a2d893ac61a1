"""Checks the version of the database's schema, and runs missing migrations."""

import asyncpg
from asyncpg.exceptions import QueryCanceledError

from newsintel.config import database_url
from newsintel.config.values import Secret
from newsintel.errors import ArchiveTimeoutError, SchemaError, UnavailableError
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.storage import migrations
from newsintel.storage.bridge import Lane
from newsintel.storage.postgres.archive.indexing import index_pending
from newsintel.storage.postgres.connecting import close_connection, connect_arguments
from newsintel.storage.postgres.failures import FORESEEN, translate
from newsintel.storage.postgres.pool import Connection, Postgres

log = get_logger(__name__)

LOCK_S = 30
"""Seconds that a migration waits for a lock: for another `migrate`, or for a long transaction on a
table that it changes.
"""


async def migrate(lane: Lane, url: Secret, password: Secret | None, service: Postgres) -> None:
    """Run the missing migrations, then index the texts that an older version wrote.

    Two commands may run at once. A schema newer than ours is not changed.

    Args:
        lane: the lane of the bridge that runs the migrations.
        url: the URL of the role that may change the schema.
        password: replaces the URL's.
        service: the pool of the role that the service runs as; a role other than the owner is
            granted rights on the tables.

    Raises:
        UnavailableError: the database cannot be reached, or refuses us.
    """
    role, newest = await service.run(_read_role), migrations.find_newest()
    before = await lane.run(_migrate, url, password, role)
    if before < newest:
        log.info("schema_migrated", before=before, now=newest)
    else:
        log.info("schema_up_to_date", now=before)
    await _index_old_texts(service)


async def _index_old_texts(service: Postgres) -> None:
    """Index the words of all articles that an older version wrote.

    It works in batches, so a running service goes on.
    """
    articles = 0
    while read := await service.run(index_pending):
        if not articles:
            log.info("reading_texts_again")
        articles += read
    if articles:
        log.info("texts_read_again", articles=articles)


async def check_schema(service: Postgres) -> None:
    """Raise SchemaError if the database's schema is missing or older than ours.

    A newer schema is accepted, because releases only add to it.
    """
    found = await service.run(_read_version)
    if found < migrations.find_newest():
        raise SchemaError(
            f"the database's schema is at {found}, "
            f"this version needs {migrations.find_newest()}: run `newsintel migrate`"
        )


async def _migrate(url: Secret, password: Secret | None, role: str) -> str:
    """Run the missing migrations; return the schema's version before."""

    async def connect() -> asyncpg.Connection:
        settings = {
            "application_name": "newsintel migrate",
            "timezone": "UTC",
            "lock_timeout": f"{LOCK_S}s",
        }
        return await asyncpg.connect(
            **connect_arguments(database_url.parse_database_url(url.reveal()), password, settings)
        )

    try:
        owner = await connect()
        try:
            known = await owner.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
            before = await _read_version(owner) if known else migrations.NO_STEP
            if before < migrations.find_newest():
                # Alembic and SQLAlchemy take longer to import than everything else, and few starts
                # need them.
                from newsintel.storage.postgres.steps import run_migrations  # noqa: PLC0415

                before = await run_migrations(connect)
            await _grant(owner, role)
        finally:
            # This is asyncio's side of the bridge, which no trio cancel reaches.
            await close_connection(owner)  # noqa: ASYNC102
    except (*FORESEEN, ArchiveTimeoutError) as error:
        if isinstance(error, QueryCanceledError | ArchiveTimeoutError):
            raise UnavailableError("PostgreSQL cancelled the migration: nothing changed") from error
        raise translate(error) from error
    return before


async def _grant(connection: Connection, role: str) -> None:
    """Grant the service's role the use of the tables, if another role owns them.

    It may not change Alembic's version table. Only one command grants at a time: PostgreSQL fails
    a GRANT that meets another on the same table (`tuple concurrently updated`).
    """
    if await connection.fetchval("SELECT current_user") == role:
        return
    async with connection.transaction():
        await connection.execute(migrations.LOCK_MIGRATIONS)
        for grant in (
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %I",
            "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM %I",
        ):
            await connection.execute(
                await connection.fetchval("SELECT format($1, $2::text)", grant, role)
            )


async def _read_role(connection: Connection) -> str:
    role: str = await connection.fetchval("SELECT current_user")
    return role


async def _read_version(connection: Connection) -> str:
    version: str | None = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
    return version or migrations.NO_STEP
