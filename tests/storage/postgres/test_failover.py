"""PostgreSQL after a failover: real servers replicate and change roles behind one address."""

from contextlib import asynccontextmanager

import pytest
import trio
from structlog.testing import capture_logs

from newsintel.config.values import Secret
from newsintel.errors import UnavailableError
from newsintel.storage.postgres.pool import open_postgres
from tests.forwarder import forwarding
from tests.storage.conftest import rows, sql
from tests.storage.postgres_servers import copy_cluster, make_cluster, postgres_server
from tests.waiting import until

SIZE = 4


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Long timeouts, because the machine may be busy."""
    monkeypatch.setattr("newsintel.storage.postgres.connecting.CONNECT_S", 30)
    monkeypatch.setattr("newsintel.storage.postgres.pool.COMMAND_S", 30)


@asynccontextmanager
async def pair(bridge, folder):
    """A primary, its replica, and the address that leads to the primary."""
    for name in ("a", "b"):
        (folder / name).mkdir()
    async with postgres_server(await make_cluster(folder / "a")) as primary:
        await bridge.add_lane("test", 1).run(sql, primary.url, "CREATE TABLE written (n int)")
        async with (
            postgres_server(await copy_cluster(primary, folder / "b")) as replica,
            forwarding(primary.socket) as name,
        ):
            yield primary, replica, name


@asynccontextmanager
async def pool(bridge, name):
    """A pool on that address with all of its connections open."""
    url = Secret(f"postgresql://newsintel@127.0.0.1:{name.port}/postgres?sslmode=disable")
    async with open_postgres(bridge, url, None, SIZE) as postgres:
        async with trio.open_nursery() as nursery:
            for _ in range(SIZE):
                nursery.start_soon(postgres.run, pause)
        yield postgres


async def pause(connection):
    """Hold the connection until other tasks need their own."""
    await connection.execute("SELECT pg_sleep(0.2)")


async def write(connection, number):
    """Write a number, which shows later where it went."""
    await connection.execute("INSERT INTO written VALUES ($1)", number)


async def promote(bridge, replica):
    """Make the replica the primary."""
    await bridge.add_lane("test", 1).run(sql, replica.url, "SELECT pg_promote()")


async def written(bridge, server):
    """The numbers on a server, sorted."""
    return sorted(
        number
        for (number,) in await bridge.add_lane("test", 1).run(
            rows, server.url, "SELECT n FROM written"
        )
    )


async def test_writes_reach_the_new_primary_after_a_crash(bridge, tmp_path):
    """Every open connection is lost.

    The first write after the promotion goes to the new primary.
    """
    async with pair(bridge, tmp_path) as (primary, replica, name), pool(bridge, name) as postgres:
        await postgres.run(write, 1)
        await seen(bridge, replica, [1])
        primary.crash()
        await promote(bridge, replica)
        name.move(replica.socket)
        for number in range(2, 2 + SIZE * 2):
            await postgres.run(write, number)
        assert await written(bridge, replica) == [1, *range(2, 2 + SIZE * 2)]


async def test_pool_leaves_a_primary_that_became_read_only(bridge, tmp_path):
    """The old primary keeps its connections open, and reads still work.

    The first write finds the new primary.
    """
    async with pair(bridge, tmp_path) as (primary, replica, name), pool(bridge, name) as postgres:
        await bridge.add_lane("test", 1).run(
            sql,
            primary.url,
            "ALTER SYSTEM SET default_transaction_read_only = on",
            "SELECT pg_reload_conf()",
        )
        await promote(bridge, replica)
        with pytest.raises(UnavailableError):  # the address changes late, as in DNS
            await postgres.run(write, 1)
        name.move(replica.socket)
        async with trio.open_nursery() as nursery:
            for number in range(SIZE):
                nursery.start_soon(postgres.run, write, number)
        assert await written(bridge, replica) == list(range(SIZE))


async def test_readiness_check_detects_a_replica(bridge, tmp_path):
    """A server that accepts no writes is not ready. The check itself drops the connection to it.

    That it answers reads is no recovery.
    """
    async with pair(bridge, tmp_path) as (_, replica, name):
        name.move(replica.socket)
        async with pool(bridge, name) as postgres:
            with capture_logs() as logs:
                with pytest.raises(UnavailableError):
                    await postgres.ping()
                opened = name.opened
                await postgres.run(pause)
                assert [line["event"] for line in logs] == ["store_failing"]
                await promote(bridge, replica)
                await postgres.ping()
            assert name.opened > opened
            assert [line["event"] for line in logs] == ["store_failing", "store_recovered"]


async def seen(bridge, server, numbers):
    """Wait until a replica has these numbers."""

    async def has():
        return await written(bridge, server) == numbers

    await until(has)


@pytest.mark.slow
async def test_primary_without_power_costs_one_timeout(bridge, tmp_path, monkeypatch):
    """No packet reports the failure.

    The first command times out, and then all connections are replaced.
    """
    monkeypatch.setattr("newsintel.storage.postgres.pool.COMMAND_S", 3)
    async with pair(bridge, tmp_path) as (_, replica, name), pool(bridge, name) as postgres:
        name.freeze()
        await promote(bridge, replica)
        with pytest.raises(UnavailableError):
            await postgres.run(write, 1)
        name.move(replica.socket)
        for number in range(SIZE * 2):
            await postgres.run(write, number)
        assert await written(bridge, replica) == list(range(SIZE * 2))
