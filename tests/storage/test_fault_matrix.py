"""Faults between the service and its stores: real servers behind a port that misbehaves.

A fault costs an expected exception, in bounded time. Once it is over, everything works again
without a restart, with no slot or connection lost.
"""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import frozen

from newsintel.config.values import Secret
from newsintel.errors import UnavailableError
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.pool import open_postgres
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.link import open_redis
from tests.fakes.basics import Counts
from tests.forwarder import NETWORK_FAULTS, Forwarder, forwarding
from tests.storage.support import NOON, answer, article
from tests.waiting import PATIENCE_S, until

BUSY = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND state <> 'idle' AND pid <> pg_backend_pid()"
)
"""Sessions with a statement or a transaction."""
CALLERS = 30
"""More than there are slots of either store."""


@frozen
class Store:
    """One store behind a port: the port, an operation, and what it holds afterwards."""

    name: Forwarder
    call: Callable[[int], Awaitable[object]]
    slots_used: Callable[[], int]
    in_use: Callable[[], Awaitable[int]]


@pytest.fixture
def redis_reply_s():
    """The service's own: Redis does not answer in these tests."""
    return 0.25


@pytest.fixture
def postgres_limits():
    """None is lifted: they end the calls on a server that does not answer."""
    return ()


@pytest.fixture(autouse=True)
def connect_s(unhurried, monkeypatch):
    """The service's own."""
    monkeypatch.setattr("newsintel.storage.postgres.connecting.CONNECT_S", 2.0)


@pytest.fixture
def slot_patience_s():
    """The service's own."""
    return 0.25


@asynccontextmanager
async def postgresql(bridge, servers, fetch):
    """The archive on a pool of four."""
    ((database,),) = await fetch("SELECT current_database()")
    async with forwarding(str(servers.data_dir / ".s.PGSQL.5432")) as name:
        url = Secret(f"postgresql://newsintel@127.0.0.1:{name.port}/{database}?sslmode=disable")
        async with open_postgres(bridge, url, None, 4) as pool:
            archive = PostgresArchive(pool)

            async def save(number):
                await archive.save_articles([(article(str(number)), NOON)], [])
                assert (await archive.get_article(article(str(number)).id)) is not None

            async def count_busy():
                return len(await fetch(BUSY))

            yield Store(name, save, lambda: pool.slots_used, count_busy)


@asynccontextmanager
async def redis(bridge, servers, fetch):
    """The cache of harvests."""
    async with forwarding(servers.redis_url.removeprefix("unix://")) as name:
        url = Secret(f"redis://127.0.0.1:{name.port}")
        async with open_redis(bridge, url, None) as link:
            cache = RedisCache(link, keep_s=60, count=Counts())

            async def store(number):
                await cache.store(answer(str(number)), None)
                found = (await cache.claim(str(number), "token", 0.001)).answer
                assert found is None or found.harvest.query.key == str(number)

            async def count_busy():
                return len(link.servers.first.redis.connection_pool._in_use_connections)

            yield Store(name, store, lambda: link.slots_used, count_busy)


@pytest.mark.slow
@pytest.mark.parametrize("fault", NETWORK_FAULTS)
@pytest.mark.parametrize("store", [postgresql, redis])
async def test_a_fault_is_an_expected_failure_and_leaves_nothing_behind(
    bridge, servers, fetch, store, fault
):
    """Callers fail or, if the store flaps, may succeed; a cancelled caller leaves at once."""
    outcomes = []

    async def attempt(opened, number):
        try:
            await opened.call(number)
        except UnavailableError:
            outcomes.append(False)
        else:
            outcomes.append(True)

    async def works(opened):
        before = len(outcomes)
        await attempt(opened, 0)
        return outcomes[before]

    async with store(bridge, servers, fetch) as opened:
        await until(lambda: works(opened))
        outcomes.clear()
        NETWORK_FAULTS[fault](opened.name)
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as callers:
                for number in range(CALLERS):
                    callers.start_soon(attempt, opened, number)
        assert len(outcomes) == CALLERS
        if fault != "flapping":
            assert not any(outcomes)
        opened.name.mend()
        await until(lambda: works(opened))

        async def is_idle():
            return opened.slots_used() == await opened.in_use() == 0

        await until(is_idle)
