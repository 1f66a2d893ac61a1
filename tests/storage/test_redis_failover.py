"""What Redis says when it is not, or no longer, the one to ask: real servers that change roles behind one name, and refuse in every way."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trio

from newsintel.config.values import Secret
from newsintel.errors import UnavailableError
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.link import open_redis
from newsintel.storage.redis.sessions import RedisSessions
from tests import waiting
from tests.forwarder import forwarding
from tests.storage.redis_servers import redis_server
from tests.storage.support import answer

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """No reply is too late: the machine may be busy."""
    monkeypatch.setattr("newsintel.storage.redis.link.SOCKET_S", 10)


@asynccontextmanager
async def pair(folder):
    """A primary with its replica, and the name that leads to the primary."""
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
    """Wait for something that no server announces."""

    async def asked():
        return check()

    await waiting.until(asked)


@asynccontextmanager
async def linked(bridge, port):
    """The way to Redis under that name."""
    async with open_redis(bridge, Secret(f"redis://127.0.0.1:{port}/0"), None) as link:
        yield link


async def open_connections(link):
    """Have ten connections open and idle."""
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


async def test_after_a_failover_one_write_fails_and_the_next_reaches_the_new_primary(bridge, tmp_path, tally):
    """Behind one name, and with the connections to the old primary all open: it answers READONLY, and is left."""
    async with pair(tmp_path) as (_, other, name, swap), linked(bridge, name.port) as link:
        sessions = RedisSessions(link, idle_s=3600, max_s=3600, count=tally, now=lambda: NOON)
        await open_connections(link)
        swap()
        outcomes = [await attempt(lambda: sessions.start(7, "test")) for _ in range(12)]
        assert outcomes == [False] + [True] * 11
        assert len(await sessions.of_user(7)) == 11
        assert other.run("SCARD", "sessions:7") == 11


async def test_connections_in_use_during_the_failover_are_left_as_well(bridge, tmp_path):
    """A reader who was under way when another met READONLY does not hand on a connection to the old primary."""
    async with pair(tmp_path) as (one, other, name, swap), linked(bridge, name.port) as link:
        reading, go_on = trio.Event(), trio.Event()
        lane = bridge.lane("test", 1)

        async def read_slowly():
            async with link.redis.client() as alone:  # one connection, as a pipeline under WATCH keeps it
                await alone.get("seed")
                reading.set()
                while not go_on.is_set():
                    await alone.get("seed")

        await open_connections(link)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lane.run, read_slowly)
            await reading.wait()
            swap()
            assert not await attempt(lambda: link.call(link.redis.set, "k", "1"))
            go_on.set()
        assert all([await attempt(lambda n=n: link.call(link.redis.set, f"k{n}", "1")) for n in range(5)])
        await until(lambda: clients(one) == 1)
        assert other.run("EXISTS", *(f"k{n}" for n in range(5))) == 5


def clients(server):
    """How many connections a server has but for its replicas and its primary: the test's own is one."""
    return sum(not set("MS") & set(one["flags"]) for one in server.client.client_list())


async def test_claims_find_the_new_primary_too(bridge, tmp_path, tally):
    """A claim on a replica goes ahead with what can be read, and is no reason to stay."""
    async with pair(tmp_path) as (_, other, name, swap), linked(bridge, name.port) as link:
        cache = RedisCache(link, keep_s=60, count=tally)
        await cache.store(answer("k"), None)
        await until(lambda: other.run("EXISTS", "articles:k"))
        swap()
        assert (await cache.claim("k", "mine", 10)).answer == answer("k")
        assert (await cache.claim("k", "mine", 10)).held
        assert other.run("GET", "lock:k") == b"mine"


async def test_readiness_sees_a_replica(bridge, tmp_path):
    """A server that takes no writes is not well, and asking is enough to leave it."""
    async with pair(tmp_path) as (_, _, name, swap), linked(bridge, name.port) as link:
        await link.ping()
        swap()
        assert not await attempt(link.ping)
        assert await attempt(link.ping)
