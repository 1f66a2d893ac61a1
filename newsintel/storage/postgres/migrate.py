"""The schema's steps, and the question whether the database has taken them. Steps are Alembic's; each is plain SQL."""

from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from newsintel import database_url
from newsintel.errors import SchemaError
from newsintel.logs import get_logger
from newsintel.options import Secret
from newsintel.storage.bridge import Lane
from newsintel.storage.postgres.connecting import CONNECT_S, connect_arguments
from newsintel.storage.postgres.failures import FORESEEN, translate
from newsintel.storage.postgres.indexing import read_unread
from newsintel.storage.postgres.pool import Connection, Postgres

log = get_logger(__name__)

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7264051)")
"""Any number that no other program locks: of two commands that migrate at once, the second finds nothing left to do."""

NO_STEP = "0000"
"""Where a schema is that has taken none."""

LOCK_S = 30
"""How long a migration waits for a lock: for another `migrate`, or a long transaction on a table it changes."""


async def migrate(lane: Lane, url: Secret, password: Secret | None, service: Postgres) -> None:
    """Take every step that is missing; two commands at once are safe. A database that is ahead of us is left alone.

    Args:
        lane: where the work takes its slot.
        url: of the role with the right to change the schema.
        password: replaces the URL's.
        service: the pool of the role that the service runs as; it is granted the tables if it is another role.

    Raises:
        UnavailableError: the database cannot be reached, or refuses us.
    """
    role = await service.run(_role)
    before = await lane.run(_migrate, url, password, role)
    if before < _newest():
        log.info("schema_migrated", before=before, now=_newest())
    else:
        log.info("schema_up_to_date", now=before)
    await _read_texts(service)


async def _read_texts(service: Postgres) -> None:
    """Read the words of all articles that an older version wrote, in batches beside everything else."""
    articles = 0
    while read := await service.run(read_unread):
        if not articles:
            log.info("reading_texts_again")
        articles += read
    if articles:
        log.info("texts_read_again", articles=articles)


async def check_schema(service: Postgres) -> None:
    """Raise SchemaError if the database's schema is missing or older than ours; a newer one is accepted, as releases only add to it."""
    found = await service.run(_version)
    if found < _newest():
        raise SchemaError(f"the database's schema is at {found}, this version needs {_newest()}: run `newsintel migrate`")


async def _migrate(url: Secret, password: Secret | None, role: str) -> str:
    """Take the steps; returns the step that the schema was at before."""

    async def connect() -> asyncpg.Connection:
        settings = {"application_name": "newsintel migrate", "timezone": "UTC", "lock_timeout": f"{LOCK_S}s"}
        return await asyncpg.connect(**connect_arguments(database_url.read(url.reveal()), password, settings))

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            before = await connection.run_sync(_upgrade)
            await connection.commit()
        await _grant(await connect(), role)
    except DBAPIError as error:
        raise translate(getattr(error.orig, "__cause__", None) or error) from error
    except FORESEEN as error:
        raise translate(error) from error
    return before


def _upgrade(connection: SyncConnection) -> str:
    connection.execute(ONE_AT_A_TIME)
    found = MigrationContext.configure(connection).get_current_revision() or NO_STEP
    if found < _newest():
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return found


async def _grant(connection: Connection, role: str) -> None:
    """Let the service's role use the tables, which belong to the role that made them. It may not touch the record of the steps."""
    try:
        if await connection.fetchval("SELECT current_user") == role:
            return
        for grant in (
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %I",
            "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM %I",
        ):
            await connection.execute(await connection.fetchval("SELECT format($1, $2::text)", grant, role))
    finally:
        await connection.close(timeout=CONNECT_S)  # noqa: ASYNC102 - asyncio's side of the bridge, where no trio cancel comes


async def _role(connection: Connection) -> str:
    role: str = await connection.fetchval("SELECT current_user")
    return role


async def _version(connection: Connection) -> str:
    version: Any = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
    return version or NO_STEP


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%"))
    return config


def _newest() -> str:
    return ScriptDirectory.from_config(_config()).get_current_head() or NO_STEP
