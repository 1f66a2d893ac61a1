"""Harvests on a real Redis: what is shown, and who holds a claim."""

import random

import pytest
import trio

from newsintel.errors import BusyError, UnavailableError
from newsintel.options import Secret
from newsintel.storage.harvests import RedisCache
from newsintel.storage.redis import open_redis
from tests.storage.support import decode, encode, harvest


@pytest.fixture
async def other(bridge, servers, tally):
    """The cache of another process."""
    async with open_redis(bridge, Secret(servers.redis_url), None) as link:
        yield RedisCache(link, keep_s=60, count=tally, encode=encode, decode=decode)


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


async def test_a_reply_that_nobody_read_reaches_nobody(cache, link):
    """A connection that is one reply behind answers the next caller with the next caller's own value."""
    await cache.store(harvest("alice"), None)
    await cache.store(harvest("bob"), None)

    async def leave_a_reply_unread():
        connection = await link.redis.connection_pool.get_connection()
        await connection.send_command("GET", "articles:alice")
        await link.redis.connection_pool.release(connection)

    await link._lane.run(leave_a_reply_unread)
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


async def test_random_cancels_show_nobody_anothers_value(cache, link):
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
    await link._lane.idle()
    assert read
    assert all(asked == got for asked, got in read)
    assert not link.redis.connection_pool._in_use_connections
