"""The pool under faults: PostgreSQL frozen, restarted, stopped, or refusing."""

import asyncio
import random
import ssl
from contextlib import ExitStack

import asyncpg
import pytest
import trio
from structlog.testing import capture_logs

from newsintel.config.values import Secret
from newsintel.errors import (
    ArchiveTimeoutError,
    BusyError,
    PoisonedBatchError,
    SchemaError,
    StoreRefusedError,
    UnavailableError,
)
from newsintel.runtime.asker import set_store_user
from newsintel.storage.postgres import pool
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.failures import translate
from newsintel.storage.postgres.personal.history import PostgresHistory
from newsintel.storage.postgres.pool import SERVER_SETTINGS, make_slot_rules, open_postgres
from tests.make import search_record
from tests.storage.support import NOON, article, family, frozen_processes
from tests.waiting import PATIENCE_S, until


@pytest.fixture
def slot_patience_s():
    """The service's own limit, because some tests need a refusal."""
    return pool.PATIENCE_S


async def backend(connection):
    """The pid of the server's process for a connection."""
    return await connection.fetchval("SELECT pg_backend_pid()")


async def test_frozen_server_costs_only_the_callers_deadline(postgres, servers):
    """Callers leave at their deadline, and later ones get BusyError.

    Everything works again when the server does.
    """
    await postgres.ping()
    with frozen_processes(family(servers.postgres.find_pid())):
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(leave_after, postgres.ping, 0.3)
        assert postgres.slots_used == 4  # they have left, but their operations still run
        with pytest.raises(BusyError):
            await postgres.ping()
    await until(lambda: succeeds(postgres.ping))  # each slot becomes free when its operation ends


async def test_one_person_cannot_take_every_connection(postgres):
    """Ten slow operations of one person leave a slot for another person.

    They also leave slots for identity lookups and the readiness check.
    """
    go_on, ended = asyncio.Event(), []

    async def slow(_connection):
        await go_on.wait()

    async def greedy():
        set_store_user("greedy")
        try:
            await postgres.run(slow)
        except BusyError:
            ended.append("busy")

    async def nine_refused():
        await trio.lowlevel.checkpoint()
        return len(ended) == 9

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(greedy)
        try:
            await until(nine_refused)
            set_store_user("somebody else")
            assert await postgres.run(lambda connection: connection.fetchval("SELECT 1")) == 1
            await postgres.ping()
        finally:
            go_on.set()
    assert postgres.slots_used == 0


@pytest.mark.parametrize("size", [1, 2, 3, 4, 10, 100])
def test_pool_of_any_size_serves_a_person_and_reserves_a_slot(size):
    """A pool of one slot reserves none."""
    found = make_slot_rules(size)
    assert 1 <= found.per_person <= max(1, size // 2)
    assert found.reserved == (0 if size == 1 else 1)


@pytest.mark.slow
@pytest.mark.parametrize("postgres_limits", [()])
async def test_operations_on_a_frozen_server_time_out(postgres, servers):
    """A caller that stays gets the error in bounded time.

    The slot is free while the server is still frozen.
    """
    await until(lambda: succeeds(postgres.ping))
    with frozen_processes(family(servers.postgres.find_pid())):
        with trio.fail_after(PATIENCE_S), pytest.raises(UnavailableError):
            await postgres.ping()
        assert postgres.slots_used == 0


async def test_connection_released_inside_a_transaction_is_only_logged(postgres):
    """This happens when a timeout cuts a commit or rollback.

    asyncpg reports it and rolls back by itself, and the service continues.
    """

    async def unit(connection):
        await connection.execute("BEGIN")
        return await backend(connection)

    async def state(connection):
        return await connection.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", left)

    with capture_logs() as logs:
        left = await postgres.run(unit)
    assert [line["event"] for line in logs] == ["driver_complains"]
    # The query may run on that very connection.
    assert await postgres.run(state) in ("idle", "active")


async def test_closing_is_bounded_while_the_server_is_frozen(
    bridge, database_url, servers, monkeypatch
):
    """Shutdown does not wait for a frozen server. In this test its commands have no timeout."""
    monkeypatch.setattr("newsintel.storage.postgres.pool.COMMAND_S", 1e6)
    with trio.fail_after(PATIENCE_S), ExitStack() as freezing:
        async with open_postgres(bridge, Secret(database_url), None, 2) as postgres:
            await postgres.ping()
            freezing.enter_context(frozen_processes(family(servers.postgres.find_pid())))
            for _ in range(2):
                await leave_after(postgres.ping, 0.05)
        await bridge.wait_until_idle()


async def test_random_cancels_leak_nothing(postgres, archive):
    """300 callers leave at random moments of a save.

    Afterwards no slot, connection or transaction is held.
    """
    dice = random.Random(seed := random.randrange(10**6))
    print("seed", seed)  # noqa: T201

    async def save(number):
        with trio.move_on_after(dice.uniform(0, 0.02)):
            while True:
                try:
                    return await archive.save_articles([(article(str(number % 20)), NOON)], [])
                except BusyError:
                    await trio.sleep(0.002)

    async with trio.open_nursery() as nursery:
        for number in range(300):
            nursery.start_soon(save, number)
    await postgres._lane.wait_until_idle()
    pool = postgres._opening.result()
    assert (postgres._lane.running, pool.get_idle_size()) == (0, pool.get_size())

    async def unfinished(connection):
        return await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE state LIKE 'idle in%' AND datname = current_database()"
        )

    assert await postgres.run(unfinished) == 0


async def test_first_save_after_a_restart_succeeds(postgres, archive, servers):
    """The pool replaces the connections that died with the server."""
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(postgres.ping)
    await servers.postgres.stop()
    with pytest.raises(UnavailableError):
        await postgres.ping()
    await servers.postgres.ensure()
    assert await archive.save_articles([(article(), NOON)], []) == 1


async def test_unit_is_retried_after_its_connection_was_killed(postgres, execute):
    """A failover drops every connection like this. One retry on a new connection succeeds."""
    for _ in range(5):
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(postgres.ping)
        await execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        await postgres.ping()


async def test_outage_is_logged_at_its_start_and_end(bridge, servers, database_url, monkeypatch):
    """Ten units fail.

    The log has one line for each reason, without a traceback, and one at the end. A slow query is
    not an outage.
    """
    monkeypatch.setitem(SERVER_SETTINGS, "statement_timeout", "1500")
    async with open_postgres(bridge, Secret(database_url), None, 2) as postgres:
        with capture_logs() as logs:
            await postgres.ping()
            await servers.postgres.stop()
            for _ in range(10):
                assert not await succeeds(postgres.ping)
            await servers.postgres.ensure()
            assert await succeeds(postgres.ping)
            with pytest.raises(ArchiveTimeoutError):
                await postgres.run(lambda connection: connection.execute("SELECT pg_sleep(600)"))
    told = [(line["event"], line["store"]) for line in logs]
    assert told == [
        *[("store_failing", "postgresql")] * (len(told) - 1),
        ("store_recovered", "postgresql"),
    ]
    assert len({line["reason"] for line in logs[:-1]}) == len(told) - 1 <= 3
    assert not any("exc_info" in line for line in logs)


async def test_server_that_is_stopped_at_start_is_found_later(bridge, servers, database_url):
    """Opening the pool does not connect.

    The first use fails as an outage, and a later use connects.
    """
    await servers.postgres.stop()
    async with open_postgres(bridge, Secret(database_url), None, 2) as postgres:
        with pytest.raises(UnavailableError) as refusal:
            await postgres.ping()
        assert not isinstance(refusal.value, StoreRefusedError)
        await servers.postgres.ensure()
        await postgres.ping()


@pytest.mark.parametrize(
    ("old", "new"),
    [("newsintel@/test", "nobody@/test"), ("/test_", "/missing_"), ("port=5432", "port=x")],
)
async def test_refusal_is_not_an_outage(bridge, database_url, old, new):
    """An unknown role, a missing database or a malformed URL ends the start.

    The message contains none of them.
    """
    async with open_postgres(
        bridge, Secret(database_url.replace(old, new)), Secret("hidden"), 2
    ) as postgres:
        with pytest.raises(StoreRefusedError) as refusal:
            await postgres.ping()
    assert "\n" not in str(refusal.value)
    assert not any(word in str(refusal.value) for word in ("nobody", "missing_", "hidden", "host="))


@pytest.mark.parametrize("postgres_limits", [("statement_timeout", "COMMAND_S")])
async def test_waiting_for_a_lock_times_out(archive, holding):
    """The wait for a table that another session locked ends after lock_timeout."""
    async with holding("LOCK TABLE articles"):
        with trio.fail_after(PATIENCE_S), pytest.raises(UnavailableError, match="LockNotAvailable"):
            await archive.save_articles([(article(), NOON)], [])


async def test_conflicts_are_retried_up_to_three_times(postgres):
    """The fourth attempt may succeed; there is no fifth."""
    attempts = []

    async def conflict(connection, failures):
        attempts.append(1)
        if len(attempts) <= failures:
            await connection.execute("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$")

    await postgres.run(conflict, failures=3)
    assert len(attempts) == 4
    attempts.clear()
    with pytest.raises(UnavailableError):
        await postgres.run(conflict, failures=9)
    assert len(attempts) == 4


async def test_run_once_never_retries(postgres):
    """A lost connection fails the unit, because it may have been committed."""
    attempts = []

    async def die(connection):
        attempts.append(1)
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(UnavailableError):
        await postgres.run_once(die)
    assert len(attempts) == 1
    with pytest.raises(UnavailableError):
        await postgres.run(die)
    assert len(attempts) == 3


async def test_read_only_server_still_reads(archive, execute, database_url):
    """Writes are unavailable, not poisoned: they work again after the failover."""
    await archive.save_articles([(article(), NOON)], [])
    name = database_url.split("/")[3].split("?")[0]
    await execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await archive._postgres._opening.result().expire_connections()
    with pytest.raises(UnavailableError):
        await archive.save_articles([(article("two"), NOON)], [])
    assert await archive.get_article(article().id)
    await execute(
        "SET default_transaction_read_only = off",
        f"ALTER DATABASE {name} RESET default_transaction_read_only",
    )
    assert await archive.save_articles([(article("two"), NOON)], []) == 1


@pytest.mark.parametrize("postgres_limits", [()])
async def test_session_has_utc_and_the_services_name(postgres):
    """The server's own time zone does not matter. The name shows an operator who is connected."""

    async def session(connection):
        return [
            await connection.fetchval(f"SHOW {name}")
            for name in ("timezone", "application_name", "statement_timeout")
        ]

    assert await postgres.run(session) == ["UTC", "newsintel", "1500ms"]


async def test_missing_table_is_a_schema_error(bridge, empty_url):
    """The message says what to do."""
    async with open_postgres(bridge, Secret(empty_url), None, 1) as postgres:
        with pytest.raises(SchemaError, match="newsintel migrate"):
            await PostgresArchive(postgres).get_article("a_x")


async def test_history_is_appended(postgres):
    """Each record is a row. Without records, nothing is written."""
    history = PostgresHistory(postgres)
    await history.record_searches([])
    await history.record_searches(
        [
            search_record(results_count=3, searched_at=NOON),
            search_record(results_count=4, searched_at=NOON),
        ]
    )

    async def rows(connection):
        return [
            tuple(row)
            for row in await connection.fetch(
                "SELECT query, key, results_count, searched_at FROM search_history ORDER BY id"
            )
        ]

    assert await postgres.run(rows) == [("q", "k", 3, NOON), ("q", "k", 4, NOON)]


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (ssl.SSLCertVerificationError("secret.host"), StoreRefusedError),
        (asyncpg.InvalidPasswordError("secret.host"), StoreRefusedError),
        (asyncpg.DiskFullError("secret.host"), UnavailableError),
        (asyncpg.TooManyConnectionsError("secret.host"), UnavailableError),
        (asyncpg.exceptions._base.DataError("secret.host"), PoisonedBatchError),
    ],
)
def test_failures_that_are_hard_to_produce_are_translated(error, ours):
    """These are TLS, passwords and full disks. No message quotes the server."""
    translated = translate(error)
    assert type(translated) is ours
    assert "secret" not in str(translated)


async def leave_after(call, seconds):
    """Call, and leave after some seconds."""
    with trio.move_on_after(seconds):
        await call()


async def succeeds(call):
    """Whether a call succeeds."""
    try:
        await call()
    except UnavailableError:
        return False
    return True
