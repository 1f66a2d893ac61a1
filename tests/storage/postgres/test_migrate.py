"""Migrations: once, twice, at the same time, and by another role."""

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager

import asyncpg
import pytest
import trio
from alembic.script import ScriptDirectory

from newsintel.config.values import Secret
from newsintel.errors import SchemaError, StoreRefusedError, UnavailableError
from newsintel.storage import migrations
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.migrate import _migrate, check_schema, migrate
from newsintel.storage.postgres.pool import open_postgres
from newsintel.storage.postgres.steps import build_config
from tests.storage.conftest import sql
from tests.storage.support import NOON, article
from tests.waiting import until


@pytest.fixture
async def empty(bridge, empty_url):
    """A pool on a database without tables."""
    async with open_postgres(bridge, Secret(empty_url), None, 2) as opened:
        yield opened


def test_last_file_is_alembics_last_step():
    """Each step has the name of its file, and follows the step before it."""
    steps = ScriptDirectory.from_config(build_config())
    assert migrations.find_newest() == steps.get_current_head()
    assert [step.revision for step in steps.walk_revisions()] == sorted(
        (step.revision for step in steps.walk_revisions()), reverse=True
    )


def test_alembic_is_imported_only_to_migrate():
    """Its import takes as long as all others together, and most starts have no step to take."""
    code = (
        "import sys, newsintel.app, newsintel.storage.stores;"
        " print({'alembic', 'sqlalchemy'} & set(sys.modules))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "set()\n"
    )


async def test_second_migration_changes_nothing(bridge, empty, empty_url):
    """It finds no step to take, and the archived articles are still there."""
    lane = bridge.add_lane("test", 1)
    await migrate(lane, Secret(empty_url), None, empty)
    await PostgresArchive(empty).save_articles([(article(), NOON)], [])
    await migrate(lane, Secret(empty_url), None, empty)
    await check_schema(empty)
    assert await PostgresArchive(empty).get_article(article().id)


async def test_concurrent_migrations_succeed(bridge, empty, empty_url):
    """One waits for the other and then finds no step to take."""
    lane = bridge.add_lane("test", 4)
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(migrate, lane, Secret(empty_url), None, empty)
    await check_schema(empty)


async def test_concurrent_migrations_for_another_role_succeed(
    bridge, database_url, execute, fetch, holding
):
    """A GRANT that waited for another one on the same table fails: `tuple concurrently updated`."""
    await execute("DROP ROLE IF EXISTS granted", "CREATE ROLE granted LOGIN")
    waiting = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database() HAVING count(*) = 3"
    )
    service_url = Secret(database_url.replace("newsintel@", "granted@"))
    async with (
        open_postgres(bridge, service_url, None, 2) as service,
        trio.open_nursery() as nursery,
        holding("SAVEPOINT before", "GRANT SELECT ON articles TO granted") as within,
    ):
        for _ in range(3):
            nursery.start_soon(
                migrate, bridge.add_lane("test", 1), Secret(database_url), None, service
            )
        await until(lambda: fetch(waiting))
        await within("ROLLBACK TO before")


async def test_missing_or_older_schema_is_refused(bridge, empty, empty_url):
    """The message says what to do. An empty table of steps counts as no step taken."""
    with pytest.raises(SchemaError, match="newsintel migrate"):
        await check_schema(empty)
    await migrate(bridge.add_lane("test", 1), Secret(empty_url), None, empty)
    for step in ("UPDATE alembic_version SET version_num = '0000'", "DELETE FROM alembic_version"):
        await bridge.add_lane("test", 1).run(sql, empty_url, step)
        with pytest.raises(SchemaError, match="0000"):
            await check_schema(empty)


async def test_newer_schema_is_accepted_unchanged(bridge, postgres, database_url):
    """Releases only add to the schema, so an old process may use a new one during a roll-out."""
    await bridge.add_lane("test", 1).run(
        sql, database_url, "UPDATE alembic_version SET version_num = '9000'"
    )
    await check_schema(postgres)
    await migrate(bridge.add_lane("test", 1), Secret(database_url), None, postgres)
    await check_schema(postgres)


async def test_service_role_can_use_tables_but_not_change_the_schema(bridge, empty_url):
    """Another role migrates.

    The service's role may then read and write articles, and nothing more.
    """
    lane = bridge.add_lane("test", 1)
    await lane.run(
        sql, empty_url, 'DROP ROLE IF EXISTS "odd \'role"', 'CREATE ROLE "odd \'role" LOGIN'
    )
    url = empty_url.replace("newsintel@", "odd%20'role@")
    async with open_postgres(bridge, Secret(url), None, 1) as service:
        await migrate(lane, Secret(empty_url), None, service)
        await check_schema(service)
        archive = PostgresArchive(service)
        assert await archive.save_articles([(article(), NOON)], []) == 1
        await archive.store_dead_letter(article(), "reason")
        for forbidden in (
            "DROP TABLE articles",
            "UPDATE alembic_version SET version_num = '9'",
            "CREATE TABLE mine ()",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await lane.run(sql, url, forbidden)
        with pytest.raises(StoreRefusedError):
            await migrate(lane, Secret(url.replace("odd%20'role@", "nobody@")), None, service)


async def test_stopped_server_is_an_outage(bridge, servers, empty, empty_url):
    """The error is the same on each of the connections that migrating uses."""
    await empty.ping()
    await servers.postgres.stop()
    with pytest.raises(UnavailableError):
        await migrate(bridge.add_lane("test", 1), Secret(empty_url), None, empty)
    await servers.postgres.ensure()


async def test_role_without_rights_cannot_migrate(bridge, empty_url):
    """The refusal is one line."""
    lane = bridge.add_lane("test", 1)
    await lane.run(sql, empty_url, "DROP ROLE IF EXISTS weak", "CREATE ROLE weak LOGIN")
    weak = Secret(empty_url.replace("newsintel@", "weak@"))
    async with open_postgres(bridge, weak, None, 1) as service:
        with pytest.raises(StoreRefusedError) as refusal:
            await migrate(lane, weak, None, service)
    assert "\n" not in str(refusal.value)


OTHERS_WAIT = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@asynccontextmanager
async def waiting_migration(url):
    """A migration that waits for another one, and the other one's connection, on asyncio's side."""
    other = await asyncpg.connect(url)
    try:
        async with other.transaction():
            await other.execute(migrations.LOCK_MIGRATIONS)
            migration = asyncio.create_task(_migrate(Secret(url), None, "newsintel"))
            while not await other.fetchval(OTHERS_WAIT):  # noqa: ASYNC110 - a lock has no event
                await asyncio.sleep(0.01)
            yield migration, other
    finally:
        await other.close()  # noqa: ASYNC102 - no trio cancel reaches this side


async def test_a_migration_that_postgresql_cancels_says_so(bridge, empty_url):
    """And not that words are too frequent, as for a search of the archive."""

    async def cancel_migration():
        async with waiting_migration(empty_url) as (migration, other):
            await other.execute("SELECT pg_cancel_backend($1)", await other.fetchval(OTHERS_WAIT))
            with pytest.raises(UnavailableError, match="cancelled the migration"):
                await migration

    await bridge.add_lane("test", 1).run(cancel_migration)
