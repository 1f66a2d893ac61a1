"""The cache on a real Redis: what is shown, who holds a claim, and what an outage costs."""

import random
from contextlib import asynccontextmanager

import pytest
import trio

from newsintel.errors import BusyError, RefusedError, UnavailableError
from newsintel.options import Secret
from newsintel.storage.breaker import FAILURES
from newsintel.storage.redis import SOCKET_S, open_redis
from tests.storage.support import decode, encode, frozen_processes, harvest


@pytest.fixture
def redis(bridge, cache):
    """Runs a command past the code under test."""
    lane = bridge.lane("test", 30)

    async def command(*words):
        return await lane.run(cache._redis.execute_command, *words)

    return command


@pytest.fixture
def configured(redis):
    """Runs commands, and other commands afterwards to undo them."""

    @asynccontextmanager
    async def within(commands, afterwards):
        for command in commands:
            await redis(*command)
        try:
            yield
        finally:
            with trio.fail_after(2, shield=True):
                for command in afterwards:
                    await redis(*command)

    return within


@pytest.fixture
async def other(bridge, servers, tally):
    """The cache of another process."""
    async with open_redis(bridge, Secret(servers.redis_url), None, keep_s=60, count=tally, encode=encode, decode=decode) as opened:
        yield opened


async def test_a_harvest_is_kept_for_its_time_and_no_longer(cache, redis):
    """It comes back as it went in, and Redis forgets it after TTL and STALE."""
    assert await cache.load("k") is None
    await cache.store(harvest("k"), None)
    assert await cache.load("k") == harvest("k")
    assert 3890 < await redis("TTL", "articles:k") <= 3900


@pytest.mark.parametrize("wrong", [encode(harvest("other")), b"", b"{", b'{"v": 0}', b"null", b"\xff\x00"])
async def test_a_value_that_is_not_of_its_key_is_a_miss_deleted_and_counted(cache, redis, tally, wrong):
    """Another key's harvest, an old version, rubbish: never shown."""
    await redis("SET", "articles:k", wrong)
    assert await cache.load("k") is None
    assert await redis("EXISTS", "articles:k") == 0
    assert tally.counts == {"cache_mismatches": 1}


async def test_a_reply_that_nobody_read_reaches_nobody(cache):
    """A connection that is one reply behind answers the next caller with the next caller's own value."""
    await cache.store(harvest("alice"), None)
    await cache.store(harvest("bob"), None)

    async def leave_a_reply_unread():
        connection = await cache._redis.connection_pool.get_connection()
        await connection.send_command("GET", "articles:alice")
        await cache._redis.connection_pool.release(connection)

    await cache._lane.run(leave_a_reply_unread)
    await trio.sleep(0.02)
    assert (await cache.load("bob")).query.key == "bob"


async def test_a_claim_has_one_holder_until_it_is_given_back_or_lapses(cache, other, redis):
    """Of two processes one gets it; only its own token gives it back; it lapses by itself."""
    assert await cache.lock("k", "mine", 10)
    assert 9000 < await redis("PTTL", "lock:k") <= 10_000
    assert not await other.lock("k", "theirs", 10)
    assert not await cache.lock("k", "mine", 10)
    await other.unlock("k", "theirs")
    assert not await other.lock("k", "theirs", 10)
    await cache.unlock("k", "mine")
    assert await other.lock("k", "theirs", 0.05)
    await trio.sleep(0.1)
    assert await cache.lock("k", "mine", 10)
    assert await redis("KEYS", "*") == [b"lock:k"]


async def test_storing_gives_the_claim_back_but_never_a_later_holders(cache, other):
    """In one operation with the write; a claim that lapsed and was taken by another stays theirs."""
    assert await cache.lock("k", "mine", 10)
    await cache.store(harvest("k"), "mine")
    assert await other.lock("k", "theirs", 10)
    await cache.store(harvest("k"), "mine")
    assert not await cache.lock("k", "mine", 10)


async def test_a_store_that_was_refused_leaves_the_claim_to_be_given_back_alone(cache, other, redis, configured):
    """A full Redis refuses the write; neither half was done, and unlock still works."""
    assert await cache.lock("k", "mine", 10)
    full = [("CONFIG", "SET", "maxmemory-policy", "noeviction"), ("CONFIG", "SET", "maxmemory", "1")]
    roomy = [("CONFIG", "SET", "maxmemory", "256mb"), ("CONFIG", "SET", "maxmemory-policy", "volatile-ttl")]
    async with configured(full, roomy):
        with pytest.raises(UnavailableError):
            await cache.store(harvest("k"), "mine")
        assert await redis("EXISTS", "lock:k") == 1
        await cache.unlock("k", "mine")
    assert await cache.load("k") is None
    assert await other.lock("k", "theirs", 10)


async def test_a_read_only_replica_still_answers_reads(cache, configured):
    """READONLY is an outage of writes."""
    await cache.store(harvest("k"), None)
    async with configured([("REPLICAOF", "127.0.0.1", "1")], [("REPLICAOF", "NO", "ONE")]):
        with pytest.raises(UnavailableError):
            await cache.store(harvest("k"), None)
        assert await cache.load("k")


async def test_a_frozen_redis_costs_the_first_callers_little_and_the_rest_nothing(cache, servers):
    """A black hole costs one socket timeout until the breaker opens, then about nothing; after it, all is well again."""
    await cache.ping()
    with frozen_processes([servers.redis.pid()]):
        for _ in range(FAILURES):
            assert await cost(cache.ping) < SOCKET_S + 0.15
        assert max([await cost(cache.ping) for _ in range(20)]) < 0.02
    with trio.fail_after(3):
        while not await answers(cache):  # noqa: ASYNC110 - the breaker lets a probe through when it is time
            await trio.sleep(0.05)


async def test_a_redis_that_is_away_is_noticed_at_once_and_found_again(cache, servers):
    """Refused connections cost about nothing; after a restart the next probe succeeds without ours."""
    await cache.store(harvest("k"), None)
    await servers.redis.stop()
    for _ in range(20):
        assert await cost(cache.ping) < 0.1
    await servers.redis.ensure()
    with trio.fail_after(3):
        while not await answers(cache):  # noqa: ASYNC110 - as above
            await trio.sleep(0.05)
    assert await cache.load("k") is None


async def test_random_cancels_show_nobody_anothers_value(cache):
    """1,500 calls whose callers leave at random moments: every value read is of its own key, and no connection is lost."""
    dice = random.Random(seed := random.randrange(10**6))
    print("seed", seed)  # noqa: T201
    for number in range(20):
        await cache.store(harvest(str(number)), None)
    read = []

    async def load():
        for _ in range(60):
            key = str(dice.randrange(20))
            with trio.move_on_after(dice.choice((dice.uniform(0, 0.02), 1))):
                try:
                    read.append((key, (await cache.load(key)).query.key))
                except BusyError:
                    await trio.sleep(0.002)

    async with trio.open_nursery() as nursery:
        for _ in range(25):  # more than there are slots
            nursery.start_soon(load)
    await cache._lane.idle()
    assert read
    assert all(asked == got for asked, got in read)
    assert not cache._redis.connection_pool._in_use_connections


async def test_wrong_credentials_are_refused_and_not_shown(bridge, servers, configured, tally):
    """Told apart from an outage; the password is in no message."""
    wrong, right = Secret("wrong-password"), Secret("right")
    async with configured([("CONFIG", "SET", "requirepass", "right")], [("CONFIG", "SET", "requirepass", "")]):
        for password in (wrong, None):
            async with open_redis(
                bridge, Secret(servers.redis_url), password, keep_s=60, count=tally, encode=encode, decode=decode
            ) as cache:
                with pytest.raises(RefusedError) as refusal:
                    await cache.ping()
            assert "wrong-password" not in str(refusal.value)
        async with open_redis(bridge, Secret(servers.redis_url), right, keep_s=60, count=tally, encode=encode, decode=decode) as cache:
            await cache.ping()


async def cost(call):
    """How many seconds a call takes to fail."""
    start = trio.current_time()
    with pytest.raises(UnavailableError):
        await call()
    return trio.current_time() - start


async def answers(cache):
    """Whether Redis answers."""
    try:
        await cache.ping()
    except UnavailableError:
        return False
    return True
