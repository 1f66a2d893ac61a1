"""The link on a real Redis: what an outage costs, and what ends the start."""

import pytest
import trio
from structlog.testing import capture_logs

from newsintel.errors import RefusedError, UnavailableError
from newsintel.options import Secret
from newsintel.storage.breaker import FAILURES
from newsintel.storage.redis import SOCKET_S, open_redis
from tests.storage.support import answer, frozen_processes, kept


@pytest.mark.parametrize("redis_reply_s", [SOCKET_S])
async def test_a_frozen_redis_costs_the_first_callers_little_and_the_rest_nothing(link, servers):
    """A black hole costs one socket timeout until the breaker opens, then about nothing; after it, all is well again."""
    await link.ping()
    with frozen_processes([servers.redis.pid()]):
        for _ in range(FAILURES):
            assert await cost(link.ping) < SOCKET_S + 1
        assert max([await cost(link.ping) for _ in range(20)]) < SOCKET_S / 2
        assert link.breaker_open
    with trio.fail_after(3):
        while not await answers(link):  # noqa: ASYNC110 - the breaker lets a probe through when it is time
            await trio.sleep(0.05)
    assert not link.breaker_open


async def test_a_redis_that_is_away_is_noticed_at_once_and_found_again(cache, link, servers):
    """Refused connections cost about nothing; after a restart the next probe succeeds without ours."""
    await cache.store(answer("k"), None)
    await servers.redis.stop()
    for _ in range(20):
        assert await cost(link.ping) < 1
    await servers.redis.ensure()
    with trio.fail_after(3):
        while not await answers(link):  # noqa: ASYNC110 - as above
            await trio.sleep(0.05)
    assert await kept(cache, "k") is None


async def test_an_outage_is_told_when_it_begins_and_when_it_ends(link, servers):
    """Twenty operations fail: a line for each reason, of which there are few, and one at the end."""
    with capture_logs() as logs:
        await link.ping()
        await servers.redis.stop()
        for _ in range(20):
            await cost(link.ping)
        await servers.redis.ensure()
        with trio.fail_after(10):
            while not await answers(link):  # noqa: ASYNC110 - as above
                await trio.sleep(0.05)
    told = [(line["event"], line["store"]) for line in logs]
    assert told == [*[("store_failing", "redis")] * (len(told) - 1), ("store_recovered", "redis")]
    assert len({line["reason"] for line in logs[:-1]}) == len(told) - 1 <= 3


async def test_wrong_credentials_are_refused_and_not_shown(bridge, servers, configured):
    """Told apart from an outage; the password is in no message."""
    wrong, right = Secret("wrong-password"), Secret("right")
    async with configured([("CONFIG", "SET", "requirepass", "right")], [("CONFIG", "SET", "requirepass", "")]):
        for password in (wrong, None):
            async with open_redis(bridge, Secret(servers.redis_url), password) as link:
                with pytest.raises(RefusedError) as refusal:
                    await link.ping()
            assert "wrong-password" not in str(refusal.value)
        async with open_redis(bridge, Secret(servers.redis_url), right) as link:
            await link.ping()


async def cost(call):
    """How many seconds a call takes to fail."""
    start = trio.current_time()
    with pytest.raises(UnavailableError):
        await call()
    return trio.current_time() - start


async def answers(link):
    """Whether Redis answers."""
    try:
        await link.ping()
    except UnavailableError:
        return False
    return True
