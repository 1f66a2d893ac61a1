"""Real servers for the storage tests. They start once; each test gets its own database."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count as numbers

import asyncpg
import pytest
import trio

from newsintel.config.values import Secret
from newsintel.storage.bridge import open_bridge
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.migrate import migrate
from newsintel.storage.postgres.pool import SERVER_SETTINGS, open_postgres
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.link import open_redis
from tests.forwarder import forwarding
from tests.storage.redis_clusters import open_client, run_everywhere
from tests.storage.support import Servers, Tally, running_servers
from tests.waiting import PATIENCE_S, until

_numbers = numbers()


async def sql(url: str, *statements: str) -> None:
    """Run statements on their own connection; call it on the asyncio side."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge


async def rows(url: str, statement: str) -> list[tuple]:
    """The rows of one statement on its own connection; call it on the asyncio side."""
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge


def database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return url.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """PostgreSQL with a migrated template database, and Redis, held by another process."""
    data_dir = tmp_path_factory.mktemp("servers")
    with running_servers(data_dir) as urls:
        trio.run(_make_template, urls["postgres_url"])
        yield Servers(data_dir, **urls)


async def _make_template(url):
    async with open_bridge() as bridge:
        lane = bridge.add_lane("test", 1)
        # With fsync, the next checkpoint would sync a hundred megabytes for each test's database.
        await lane.run(
            sql,
            url,
            "ALTER SYSTEM SET fsync = off",
            "SELECT pg_reload_conf()",
            "CREATE DATABASE migrated",
        )
        target = Secret(database(url, "migrated"))
        async with open_postgres(bridge, target, None, 1) as service:
            await migrate(lane, target, None, service)


@pytest.fixture
def empty_url(servers):
    """A database without any table."""
    return trio.run(_make_database, servers.postgres_url, "template1")


@pytest.fixture
def database_url(servers):
    """A migrated database."""
    return trio.run(_make_database, servers.postgres_url, "migrated")


async def _make_database(url, template):
    name = f"test_{next(_numbers)}"
    async with open_bridge() as bridge:
        await bridge.add_lane("test", 1).run(
            sql, url, f"CREATE DATABASE {name} TEMPLATE {template}"
        )
    return database(url, name)


@pytest.fixture
async def bridge():
    """An open bridge."""
    async with open_bridge() as opened:
        yield opened


@pytest.fixture
async def postgres(bridge, database_url):
    """A pool of four on a migrated database."""
    async with open_postgres(bridge, Secret(database_url), None, 4) as opened:
        yield opened


@pytest.fixture
def archive(postgres):
    """The archive on its own database."""
    return PostgresArchive(postgres)


@pytest.fixture
async def execute(bridge, database_url):
    """Runs SQL on the test's database without the code under test."""
    lane = bridge.add_lane("test", 4)

    async def run(*statements):
        await lane.run(sql, database_url, *statements)

    return run


@pytest.fixture
async def fetch(bridge, database_url):
    """Runs one statement on the test's database without the code under test.

    Returns its rows as tuples.
    """
    lane = bridge.add_lane("test", 4)

    async def run(statement):
        return await lane.run(rows, database_url, statement)

    return run


@pytest.fixture
async def holding(bridge, database_url):
    """Runs statements in a transaction that stays open until the block ends.

    A statement is a text, or a text and its arguments. Yields a function that runs more statements
    in the transaction.
    """

    @asynccontextmanager
    async def within(*statements):
        lane, run, done = bridge.add_lane("test", 2), asyncio.Queue(), asyncio.Event()

        async def hold():
            connection = await asyncpg.connect(database_url)
            async with connection.transaction():
                while (statement := await run.get()) is not None:
                    await connection.execute(
                        *([statement] if isinstance(statement, str) else statement)
                    )
                    done.set()
            await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge

        async def execute(statement):
            done.clear()
            run.put_nowait(statement)
            await lane.run(done.wait)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lane.run, hold)
            for statement in statements:
                await execute(statement)
            yield execute
            run.put_nowait(None)

    return within


@pytest.fixture
def somebody_waits(fetch):
    """Returns when a session of the test's database waits for a lock."""

    async def wait():
        await until(
            lambda: fetch(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
        )

    return wait


@pytest.fixture
def tally():
    """A counter that stores its counts."""
    return Tally()


@pytest.fixture
def redis_reply_s():
    """Timeout of a reply of Redis, in seconds.

    It is long because the machine may be busy. A test of slow replies overrides it.
    """
    return PATIENCE_S


@pytest.fixture
def postgres_limits():
    """The timeouts of PostgreSQL that are lifted, because the machine may be busy.

    A test of some timeouts overrides this with the other ones.
    """
    return ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "COMMAND_S")


@pytest.fixture
def slot_patience_s():
    """Seconds that an operation waits for a slot of PostgreSQL.

    A test of refused operations overrides it with the service's own.
    """
    return PATIENCE_S


@pytest.fixture(autouse=True)
def unhurried(monkeypatch, postgres_limits, slot_patience_s):
    """Lift these timeouts, and also those of connecting and of starting and stopping servers."""
    monkeypatch.setattr("newsintel.storage.postgres.connecting.CONNECT_S", PATIENCE_S)
    for name in ("daemon.START_S", "daemon.STOP_S", "servers.START_S", "servers.LEAVE_S"):
        monkeypatch.setattr(f"newsintel.storage.embedded.{name}", PATIENCE_S)
    monkeypatch.setattr("newsintel.storage.postgres.pool.PATIENCE_S", slot_patience_s)
    monkeypatch.setattr("newsintel.storage.postgres.archive.unit_time.UNIT_S", PATIENCE_S)
    for name in postgres_limits:
        if name == "COMMAND_S":
            monkeypatch.setattr("newsintel.storage.postgres.pool.COMMAND_S", PATIENCE_S)
        else:
            monkeypatch.setitem(SERVER_SETTINGS, name, "0")


@pytest.fixture
def redis_url(servers):
    """The URL of the test's Redis."""
    return servers.redis_url


@pytest.fixture
async def link(bridge, redis_url, redis, monkeypatch, redis_reply_s):
    """A link to an empty Redis."""
    monkeypatch.setattr("newsintel.storage.redis.server.SOCKET_S", redis_reply_s)
    await redis("FLUSHALL")
    async with open_redis(bridge, Secret(redis_url), None) as opened:
        yield opened


@pytest.fixture
async def name(servers):
    """A forwarded address of the same Redis, which a test can cut off."""
    async with forwarding(servers.redis_url.removeprefix("unix://")) as forwarder:
        yield forwarder


@pytest.fixture
async def cut_off(bridge, link, name, monkeypatch):
    """A link to Redis by that address, which a test can cut off.

    Its breaker stays open for the rest of the test.
    """
    monkeypatch.setattr("newsintel.storage.redis.breaker.FIRST_PAUSE_S", PATIENCE_S)
    async with open_redis(bridge, Secret(f"redis://127.0.0.1:{name.port}"), None) as opened:
        yield opened


@pytest.fixture
def redis(redis_url):
    """Runs a command without the code under test."""
    with open_client(redis_url) as client:

        async def command(*words):
            return run_everywhere(client, *words)

        yield command


@pytest.fixture
def configured(redis):
    """Runs commands, and at the end other commands that undo them."""

    @asynccontextmanager
    async def within(commands, afterwards):
        for command in commands:
            await redis(*command)
        try:
            yield
        finally:
            with trio.fail_after(PATIENCE_S, shield=True):
                for command in afterwards:
                    await redis(*command)

    return within


@pytest.fixture
def cache(link, tally):
    """A cache of harvests in that Redis."""
    return RedisCache(link, keep_s=3900, count=tally)
