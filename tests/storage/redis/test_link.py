"""The link on a real Redis: the cost of an outage, and errors that end the start."""

import asyncio

import pytest
import trio
import trio.testing
from attrs import evolve
from structlog.testing import capture_logs

from newsintel.config.values import Secret
from newsintel.errors import StoreRefusedError, UnavailableError
from newsintel.runtime.asker import set_store_user, use_stores_urgently
from newsintel.storage.redis.breaker import FAILURES
from newsintel.storage.redis.link import SLOT_RULES, open_redis
from newsintel.storage.redis.server import SOCKET_S
from tests.storage.support import ON_ONE_SERVER, answer, kept
from tests.waiting import PATIENCE_S, until


async def test_frozen_redis_costs_few_callers_one_timeout(bridge, name, monkeypatch):
    """Each caller before the breaker opens waits for one socket timeout.

    Later callers send no request. When Redis answers again, all works.
    """
    monkeypatch.setattr("newsintel.storage.redis.breaker.FIRST_PAUSE_S", PATIENCE_S)
    async with open_redis(bridge, Secret(f"redis://127.0.0.1:{name.port}"), None) as link:
        known = link.servers.first.redis.connection_pool.connection_kwargs
        assert (known["socket_timeout"], known["socket_connect_timeout"]) == (SOCKET_S, SOCKET_S)
        name.freeze(swallow_new=True)
        while not link.breaker_open:
            assert not await answers(link)
        asked = name.opened
        assert asked == FAILURES
        assert [await answers(link) for _ in range(20)] == [False] * 20
        assert name.opened == asked
        name.mend()
        link.servers.first.breaker._refusing_until_s = 0  # the pause is over
        await until(lambda: answers(link))
        assert not link.breaker_open


async def test_burst_of_one_person_leaves_slots_for_others(bridge, servers, monkeypatch):
    """All hundred calls are served, a few at a time.

    In the meantime another person and an urgent call get a slot at once.
    """
    monkeypatch.setattr(
        "newsintel.storage.redis.link.SLOT_RULES", evolve(SLOT_RULES, patience_s=PATIENCE_S)
    )
    go_on, served = asyncio.Event(), []

    async def slow(_server):
        await go_on.wait()

    async def greedy(link):
        set_store_user("greedy")
        await link.call("k", slow)
        served.append("greedy")

    async with open_redis(bridge, Secret(servers.redis_url), None) as link:
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(greedy, link)
            await trio.testing.wait_all_tasks_blocked()
            assert link.slots_used == SLOT_RULES.per_person < SLOT_RULES.total - SLOT_RULES.reserved
            set_store_user("somebody else")
            await link.ping()
            with use_stores_urgently():
                await link.ping()
            go_on.set()
        assert (len(served), link.slots_used) == (100, 0)


@ON_ONE_SERVER
async def test_stopped_redis_is_noticed_at_once_and_found_again(cache, link, servers):
    """Refused connections need no timeout.

    After a restart of Redis the next probe succeeds without a restart of the service.
    """
    await cache.store(answer("k"), None)
    await servers.redis.stop()
    for _ in range(20):
        assert not await answers(link)
    await servers.redis.ensure()
    await until(lambda: answers(link))
    assert await kept(cache, "k") is None


@ON_ONE_SERVER
async def test_outage_is_logged_at_its_start_and_end(link, servers):
    """Twenty operations fail.

    The log has one line for each of a few reasons, and one at the end.
    """
    with capture_logs() as logs:
        await link.ping()
        await servers.redis.stop()
        for _ in range(20):
            assert not await answers(link)
        await servers.redis.ensure()
        await until(lambda: answers(link))
    told = [(line["event"], line["store"]) for line in logs]
    assert told == [*[("store_failing", "redis")] * (len(told) - 1), ("store_recovered", "redis")]
    assert len({line["reason"] for line in logs[:-1]}) == len(told) - 1 <= 3


@ON_ONE_SERVER
async def test_wrong_credentials_are_refused_and_not_shown(bridge, servers, configured):
    """They are not an outage; no message contains the password."""
    wrong, right = Secret("wrong-password"), Secret("right")
    async with configured(
        [("CONFIG", "SET", "requirepass", "right")], [("CONFIG", "SET", "requirepass", "")]
    ):
        for password in (wrong, None):
            async with open_redis(bridge, Secret(servers.redis_url), password) as link:
                with pytest.raises(StoreRefusedError) as refusal:
                    await link.ping()
            assert "wrong-password" not in str(refusal.value)
        async with open_redis(bridge, Secret(servers.redis_url), right) as link:
            await link.ping()


async def answers(link):
    """Whether Redis answers."""
    try:
        await link.ping()
    except UnavailableError:
        return False
    return True
