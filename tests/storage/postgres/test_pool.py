"""The pool under faults: PostgreSQL frozen, restarted, away, or refusing."""

import asyncio
import random
import ssl
from contextlib import ExitStack

import asyncpg
import pytest
import trio
from structlog.testing import capture_logs

from newsintel.config.values import Secret
from newsintel.errors import ArchiveTimeoutError, BusyError, PoisonedBatchError, RefusedError, SchemaError, UnavailableError
from newsintel.runtime.asker import ask_for
from newsintel.storage.postgres import pool
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.failures import translate
from newsintel.storage.postgres.personal.history import PostgresHistory
from newsintel.storage.postgres.pool import SERVER_SETTINGS, open_postgres, rules
from tests.make import search_record
from tests.storage.support import NOON, article, family, frozen_processes
from tests.waiting import PATIENCE_S, until


@pytest.fixture
def slot_patience_s():
    """Some here are refused one."""
    return pool.PATIENCE_S


async def backend(connection):
    """The process that serves a connection."""
    return await connection.fetchval("SELECT pg_backend_pid()")


async def test_a_frozen_server_costs_callers_their_deadline_and_no_more(postgres, servers):
    """Callers leave at their deadline, the next are Busy at once, and all works again when the server does."""
    await postgres.ping()
    with frozen_processes(family(servers.postgres.pid())):
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(leave_after, postgres.ping, 0.3)
        assert postgres.slots_used == 4  # they have left; what they started has not ended
        with pytest.raises(BusyError):
            await postgres.ping()
    await until(lambda: succeeds(postgres.ping))  # slots come back as their operations end


async def test_one_person_cannot_take_every_connection(postgres):
    """Ten slow things that one person asks for leave room for somebody else, for who is asking and for whether the server is well."""
    go_on, ended = asyncio.Event(), []

    async def slow(_connection):
        await go_on.wait()

    async def greedy():
        ask_for("greedy")
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
            ask_for("somebody else")
            assert await postgres.run(lambda connection: connection.fetchval("SELECT 1")) == 1
            await postgres.ping()
        finally:
            go_on.set()
    assert postgres.slots_used == 0


@pytest.mark.parametrize("size", [1, 2, 3, 4, 10, 100])
def test_a_pool_of_any_size_serves_a_person_and_keeps_one_if_it_can(size):
    """A pool of one has nothing to keep."""
    found = rules(size)
    assert 1 <= found.each <= max(1, size // 2)
    assert found.kept == (0 if size == 1 else 1)


@pytest.mark.parametrize("postgres_limits", [()])
async def test_a_frozen_server_ends_its_operations_without_help(postgres, servers):
    """A caller who stays is told in bounded time, and the slot is free again while the server is still frozen."""
    await until(lambda: succeeds(postgres.ping))
    with frozen_processes(family(servers.postgres.pid())):
        with trio.fail_after(PATIENCE_S), pytest.raises(UnavailableError):
            await postgres.ping()
        assert postgres.slots_used == 0


async def test_a_connection_that_comes_back_within_a_transaction_ends_nothing(postgres):
    """As when a commit or rollback is cut off by its limit: asyncpg complains, rolls back by itself, and the service goes on."""

    async def unit(connection):
        await connection.execute("BEGIN")
        return await backend(connection)

    async def state(connection):
        return await connection.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", left)

    with capture_logs() as logs:
        left = await postgres.run(unit)
    assert [line["event"] for line in logs] == ["driver_complains"]
    assert await postgres.run(state) in ("idle", "active")  # the very connection may be asked


async def test_closing_is_bounded_while_the_server_is_frozen(bridge, database_url, servers, monkeypatch):
    """Shutdown does not wait for a frozen server, whose commands here would never end by themselves."""
    monkeypatch.setattr("newsintel.storage.postgres.pool.COMMAND_S", 1e6)
    with trio.fail_after(PATIENCE_S), ExitStack() as freezing:
        async with open_postgres(bridge, Secret(database_url), None, 2) as postgres:
            await postgres.ping()
            freezing.enter_context(frozen_processes(family(servers.postgres.pid())))
            for _ in range(2):
                await leave_after(postgres.ping, 0.05)
        await bridge.idle()


async def test_random_cancels_leave_the_pool_idle(postgres, archive):
    """300 callers that leave at random moments of a save: afterwards no slot, connection or transaction is held."""
    dice = random.Random(seed := random.randrange(10**6))
    print("seed", seed)  # noqa: T201

    async def save(number):
        with trio.move_on_after(dice.uniform(0, 0.02)):
            while True:
                try:
                    return await archive.save([(article(str(number % 20)), NOON)], [])
                except BusyError:
                    await trio.sleep(0.002)

    async with trio.open_nursery() as nursery:
        for number in range(300):
            nursery.start_soon(save, number)
    await postgres._lane.idle()
    pool = postgres._opening.result()
    assert (postgres._lane.running, pool.get_idle_size()) == (0, pool.get_size())

    async def unfinished(connection):
        return await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()"
        )

    assert await postgres.run(unfinished) == 0


async def test_a_restart_in_mid_use_is_not_noticed_by_the_next_caller(postgres, archive, servers):
    """Connections that died with the server are replaced: the first save after the restart succeeds."""
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(postgres.ping)
    await servers.postgres.stop()
    with pytest.raises(UnavailableError):
        await postgres.ping()
    await servers.postgres.ensure()
    assert await archive.save([(article(), NOON)], []) == 1


async def test_killed_backends_are_not_noticed(postgres, execute):
    """As after a failover that drops every connection: one retry on a fresh one."""
    for _ in range(5):
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(postgres.ping)
        await execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        await postgres.ping()


async def test_an_outage_is_told_when_it_begins_and_when_it_ends(bridge, servers, database_url, monkeypatch):
    """Ten units fail: a line for each reason, without a traceback, and one at the end; a query that is too slow is no outage."""
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
    assert told == [*[("store_failing", "postgresql")] * (len(told) - 1), ("store_recovered", "postgresql")]
    assert len({line["reason"] for line in logs[:-1]}) == len(told) - 1 <= 3
    assert not any("exc_info" in line for line in logs)


async def test_a_server_that_is_away_at_first_is_found_later(bridge, servers, database_url):
    """Opening asks for nothing; a failed first use is an outage, and the next use connects."""
    await servers.postgres.stop()
    async with open_postgres(bridge, Secret(database_url), None, 2) as postgres:
        with pytest.raises(UnavailableError) as refusal:
            await postgres.ping()
        assert not isinstance(refusal.value, RefusedError)
        await servers.postgres.ensure()
        await postgres.ping()


@pytest.mark.parametrize(("old", "new"), [("newsintel@/test", "nobody@/test"), ("/test_", "/missing_"), ("/test_", ":x/test_")])
async def test_being_refused_is_told_apart_from_an_outage(bridge, database_url, old, new):
    """An unknown role, a missing database and a malformed URL end a start; the message holds none of them."""
    async with open_postgres(bridge, Secret(database_url.replace(old, new)), Secret("hidden"), 2) as postgres:
        with pytest.raises(RefusedError) as refusal:
            await postgres.ping()
    assert "\n" not in str(refusal.value)
    assert not any(word in str(refusal.value) for word in ("nobody", "missing_", "hidden", "host="))


@pytest.mark.parametrize("postgres_limits", [("statement_timeout", "COMMAND_S")])
async def test_a_held_lock_is_given_up_on(archive, holding):
    """A table locked by somebody else costs lock_timeout, not for ever."""
    async with holding("LOCK TABLE articles"):
        with trio.fail_after(PATIENCE_S), pytest.raises(UnavailableError, match="LockNotAvailable"):
            await archive.save([(article(), NOON)], [])


async def test_lost_conflicts_are_tried_again_up_to_three_times(postgres):
    """The fourth attempt may succeed; a fifth is not made."""
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


async def test_work_that_must_not_repeat_is_not_tried_again(postgres):
    """A lost connection fails it, as it may have been done."""
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


async def test_a_read_only_server_still_reads(archive, execute, database_url):
    """Writes are unavailable, not poisoned: they wait for the failover to end."""
    await archive.save([(article(), NOON)], [])
    name = database_url.split("/")[3].split("?")[0]
    await execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await archive._postgres._opening.result().expire_connections()
    with pytest.raises(UnavailableError):
        await archive.save([(article("two"), NOON)], [])
    assert await archive.article(article().id)
    await execute("SET default_transaction_read_only = off", f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert await archive.save([(article("two"), NOON)], []) == 1


@pytest.mark.parametrize("postgres_limits", [()])
async def test_times_are_utc_and_the_service_names_itself(postgres):
    """Whatever the server's zone, and so that an operator sees who is connected."""

    async def session(connection):
        return [await connection.fetchval(f"SHOW {name}") for name in ("timezone", "application_name", "statement_timeout")]

    assert await postgres.run(session) == ["UTC", "newsintel", "1500ms"]


async def test_a_missing_table_says_migrate(bridge, empty_url):
    """Without its schema the archive is unavailable, with the remedy in the message."""
    async with open_postgres(bridge, Secret(empty_url), None, 1) as postgres:
        with pytest.raises(SchemaError, match="newsintel migrate"):
            await PostgresArchive(postgres).article("a_x")


async def test_the_history_is_appended(postgres):
    """Each record is a row; none is no work."""
    history = PostgresHistory(postgres)
    await history.record([])
    await history.record([search_record(results_count=3, searched_at=NOON), search_record(results_count=4, searched_at=NOON)])

    async def rows(connection):
        return [
            tuple(row) for row in await connection.fetch("SELECT query, key, results_count, searched_at FROM search_history ORDER BY id")
        ]

    assert await postgres.run(rows) == [("q", "k", 3, NOON), ("q", "k", 4, NOON)]


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (ssl.SSLCertVerificationError("secret.host"), RefusedError),
        (asyncpg.InvalidPasswordError("secret.host"), RefusedError),
        (asyncpg.DiskFullError("secret.host"), UnavailableError),
        (asyncpg.TooManyConnectionsError("secret.host"), UnavailableError),
        (asyncpg.exceptions._base.DataError("secret.host"), PoisonedBatchError),
    ],
)
def test_failures_that_are_hard_to_make_are_in_the_table(error, ours):
    """TLS, passwords, full disks; and no message repeats the server's words."""
    translated = translate(error)
    assert type(translated) is ours
    assert "secret" not in str(translated)


async def leave_after(call, seconds):
    """Call, and leave at a deadline."""
    with trio.move_on_after(seconds):
        await call()


async def succeeds(call):
    """Whether a call succeeds."""
    try:
        await call()
    except UnavailableError:
        return False
    return True
