"""Runs the schema's migrations with Alembic, each in plain SQL. Imported only if one is missing."""

from collections.abc import Awaitable, Callable

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from newsintel.storage import migrations
from newsintel.storage.postgres.failures import translate


async def run_migrations(connect: Callable[[], Awaitable[asyncpg.Connection]]) -> str:
    """Run the missing migrations in one transaction; return the schema's version before.

    Runs on asyncio's side of the bridge.

    Args:
        connect: opens a connection of the role that may change the schema.

    Raises:
        UnavailableError: the connection was lost, or the database refuses us.
    """
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            before = await connection.run_sync(_upgrade)
            await connection.commit()
    except DBAPIError as error:
        raise translate(getattr(error.orig, "__cause__", None) or error) from error
    return before


def build_config() -> Config:
    """Return Alembic's configuration: the folder of the migrations."""
    made = Config()
    made.set_main_option("script_location", str(migrations.FOLDER).replace("%", "%%"))
    return made


def _upgrade(connection: Connection) -> str:
    connection.execute(text(migrations.LOCK_MIGRATIONS))
    found = MigrationContext.configure(connection).get_current_revision() or migrations.NO_STEP
    if found < migrations.find_newest():
        known = build_config()
        known.attributes["connection"] = connection
        command.upgrade(known, "head")
    return found
