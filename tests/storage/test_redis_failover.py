"""Redis after a failover: real servers change roles behind one address."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trio
from structlog.testing import capture_logs

from newsintel.config.values import Secret
from newsintel.errors import UnavailableError
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.link import open_redis
from newsintel.storage.redis.sessions import RedisSessions
from tests import waiting
from tests.forwarder import forwarding
from tests.make import account_id
from tests.storage.redis_servers import redis_server
from tests.storage.support import answer, run_command

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A long timeout, because the machine may be busy."""
    monkeypatch.setattr("newsintel.storage.redis.server.SOCKET_S", 10)


@asynccontextmanager
async def pair(folder):
    """A primary with its replica, and the address that leads to the primary."""
    async with (
        redis_server(folder / "a") as one,
        redis_server(folder / "b") as other,
        forwarding(one.socket) as to_one,
        forwarding(other.socket) as to_other,
        forwarding(one.socket) as name,
    ):
        other.run("REPLICAOF", "127.0.0.1", to_one.port)
        one.run("SET", "seed", "1")
        await until(lambda: other.run("GET", "seed") == b"1")

        def swap():
            other.run("REPLICAOF", "NO", "ONE")
            one.run("REPLICAOF", "127.0.0.1", to_other.port)
            name.move(other.socket)

        yield one, other, name, swap


async def until(check):
    """Wait for a state that no server announces."""

    async def asked():
        return check()

    await waiting.until(asked)


@asynccontextmanager
async def linked(bridge, port):
    """A link to Redis at that address."""
    async with open_redis(bridge, Secret(f"redis://127.0.0.1:{port}/0"), None) as link:
        yield link


async def open_connections(link):
    """Open ten connections and leave them idle."""
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(link.ping)


async def attempt(call):
    """Whether a call succeeds."""
    try:
        await call()
    except UnavailableError:
        return False
    return True


async def test_second_write_after_a_failover_reaches_the_new_primary(bridge, tmp_path, tally):
    """All connections to the old primary are open. It answers READONLY, and the link leaves it."""
    async with pair(tmp_path) as (_, other, name, swap), linked(bridge, name.port) as link:
        sessions = RedisSessions(link, idle_s=3600, max_s=3600, count=tally, now=lambda: NOON)
        await open_connections(link)
        swap()
        outcomes = [await attempt(lambda: sessions.start(account_id(7), "test")) for _ in range(12)]
        assert outcomes == [False] + [True] * 11
        assert len(await sessions.list_of_user(account_id(7))) == 11
        assert other.run("SCARD", f"sessions:{account_id(7)}") == 11


async def test_connections_in_use_during_the_failover_are_closed(bridge, tmp_path):
    """A read is running when another call gets READONLY.

    Its connection to the old primary is not reused.
    """
    async with pair(tmp_path) as (one, other, name, swap), linked(bridge, name.port) as link:
        reading, go_on = trio.Event(), trio.Event()
        lane = bridge.add_lane("test", 1)

        async def read_slowly():
            # One connection, like a pipeline under WATCH.
            async with link.servers.first.redis.client() as alone:
                await alone.get("seed")
                reading.set()
                while not go_on.is_set():
                    await alone.get("seed")

        await open_connections(link)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lane.run, read_slowly)
            await reading.wait()
            swap()
            assert not await attempt(lambda: link.call("k", run_command, "SET", "k", "1"))
            go_on.set()
        assert all(
            [
                await attempt(lambda n=n: link.call(f"k{n}", run_command, "SET", f"k{n}", "1"))
                for n in range(5)
            ]
        )
        await until(lambda: clients(one) == 1)
        assert other.run("EXISTS", *(f"k{n}" for n in range(5))) == 5


def clients(server):
    """The number of a server's connections without replicas and primary; one is the test's own."""
    return sum(not set("MS") & set(one["flags"]) for one in server.client.client_list())


async def test_claims_reach_the_new_primary(bridge, tmp_path, tally):
    """A claim on a replica proceeds with the cached answer, and the link leaves the replica."""
    async with pair(tmp_path) as (_, other, name, swap), linked(bridge, name.port) as link:
        cache = RedisCache(link, keep_s=60, count=tally)
        await cache.store(answer("k"), None)
        await until(lambda: other.run("EXISTS", "articles:k"))
        swap()
        assert (await cache.claim("k", "mine", 10)).answer == answer("k")
        assert (await cache.claim("k", "mine", 10)).held
        assert other.run("GET", "lock:{articles:k}") == b"mine"


async def test_readiness_check_detects_a_replica(bridge, tmp_path):
    """A server that accepts no writes is not ready. The check itself drops the connection to it."""
    async with pair(tmp_path) as (_, _, name, swap), linked(bridge, name.port) as link:
        await link.ping()
        swap()
        assert not await attempt(link.ping)
        assert await attempt(link.ping)


async def test_reads_of_a_replica_are_no_recovery(bridge, tmp_path):
    """The log says that Redis is back when it takes writes again."""
    async with pair(tmp_path) as (one, _, name, _), linked(bridge, name.port) as link:
        with capture_logs() as logs:
            one.run("REPLICAOF", "127.0.0.1", 1)
            assert not await attempt(link.ping)
            assert await attempt(lambda: link.call("seed", run_command, "GET", "seed"))
            assert [line["event"] for line in logs] == ["store_failing"]
            one.run("REPLICAOF", "NO", "ONE")
            await link.ping()
        assert [line["event"] for line in logs] == ["store_failing", "store_recovered"]
