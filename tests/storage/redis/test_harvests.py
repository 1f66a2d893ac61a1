"""Harvests on a real Redis: what is shown, and who holds a claim."""

import asyncio
import random

import pytest
import trio
from redis import Redis
from redis.asyncio.client import Pipeline

from newsintel.config.values import Secret
from newsintel.domain.bounds.slices import whole
from newsintel.domain.search.codec import dump_answer
from newsintel.domain.search.ports import Claimed
from newsintel.errors import BusyError, UnavailableError
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.link import open_redis
from tests.storage.support import answer, kept
from tests.waiting import PATIENCE_S


@pytest.fixture
async def other(bridge, servers, tally):
    """The cache of another process."""
    async with open_redis(bridge, Secret(servers.redis_url), None) as link:
        yield RedisCache(link, keep_s=60, count=tally)


async def test_a_harvest_is_kept_for_its_time_and_no_longer(cache, redis):
    """It comes back as it went in, and Redis forgets it after TTL and STALE."""
    assert await kept(cache, "k") is None
    await cache.store(answer("k"), None)
    assert await kept(cache, "k") == answer("k")
    assert 3300 < await redis("TTL", "articles:k") <= 3900


@pytest.mark.parametrize("wrong", [whole(dump_answer(answer("other"))), b"", b"{", b'{"v": 0}', b"null", b"\xff\x00"])
async def test_a_value_that_is_not_of_its_key_is_a_miss_deleted_and_counted(cache, redis, tally, wrong):
    """Another key's harvest, an old version, rubbish: never shown."""
    await redis("SET", "articles:k", wrong)
    assert await kept(cache, "k") is None
    assert await redis("EXISTS", "articles:k") == 0
    assert tally.counts == {"cache_mismatches": 1}


async def test_a_reply_that_nobody_read_reaches_nobody(cache, link):
    """A connection that is one reply behind answers the next caller with the next caller's own value."""
    await cache.store(answer("alice"), None)
    await cache.store(answer("bob"), None)

    async def leave_a_reply_unread():
        connection = await link.redis.connection_pool.get_connection()
        await connection.send_command("GET", "articles:alice")
        while not connection._reader._buffer:  # noqa: ASYNC110 - nothing says that a reply has come
            await asyncio.sleep(0.01)
        await link.redis.connection_pool.release(connection)

    await link._lane.run(leave_a_reply_unread)
    assert (await kept(cache, "bob")).harvest.query.key == "bob"


async def test_a_claim_has_one_holder_until_it_is_given_back_or_lapses(cache, other, redis):
    """Of two processes one gets it; only its own token gives it back; it lapses by itself."""
    assert (await cache.claim("k", "mine", 600)).held
    assert 0 < await redis("PTTL", "lock:k") <= 600_000
    assert not (await other.claim("k", "theirs", 10)).held
    assert not (await cache.claim("k", "mine", 600)).held
    await other.unlock("k", "theirs")
    assert not (await other.claim("k", "theirs", 10)).held
    await cache.unlock("k", "mine")
    assert (await other.claim("k", "theirs", 0.05)).held
    await trio.sleep(0.1)
    assert (await cache.claim("k", "mine", 10)).held
    assert await redis("KEYS", "*") == [b"lock:k"]


async def test_storing_gives_the_claim_back_but_never_a_later_holders(cache, other):
    """In one operation with the write; a claim that lapsed and was taken by another stays theirs."""
    assert (await cache.claim("k", "mine", 10)).held
    await cache.store(answer("k"), "mine")
    assert (await other.claim("k", "theirs", 10)).held
    await cache.store(answer("k"), "mine")
    assert not (await cache.claim("k", "mine", 600)).held


async def test_a_store_that_was_refused_leaves_both_as_they_were(cache, other, redis, configured):
    """A full Redis refuses the write and keeps the claim, which is then given back alone or lapses."""
    assert (await cache.claim("k", "mine", 10)).held
    full = [("CONFIG", "SET", "maxmemory-policy", "noeviction"), ("CONFIG", "SET", "maxmemory", "1")]
    roomy = [("CONFIG", "SET", "maxmemory", "256mb"), ("CONFIG", "SET", "maxmemory-policy", "volatile-ttl")]
    async with configured(full, roomy):
        with pytest.raises(UnavailableError):
            await cache.store(answer("k"), "mine")
        assert await redis("EXISTS", "lock:k") == 1
    assert await kept(cache, "k") is None
    await cache.unlock("k", "mine")
    assert (await other.claim("k", "theirs", 10)).held


async def test_claiming_looks_again(cache, other):
    """Whoever claims, or fails to, learns in the same round trip what is kept by then."""
    await cache.store(answer("k"), None)
    assert await cache.claim("k", "mine", 10) == Claimed(held=True, answer=answer("k"))
    assert await other.claim("k", "theirs", 10) == Claimed(held=False, answer=answer("k"))


async def test_a_claim_that_passes_on_while_it_is_given_back_stays_the_later_holders(cache, redis, servers, monkeypatch):
    """The token is checked and deleted as one: between the two nobody else's claim is lost, and the answer is kept all the same."""
    assert (await cache.claim("k", "mine", 10)).held
    real = Pipeline.multi

    def lapsing(pipeline):
        monkeypatch.setattr(Pipeline, "multi", real)
        with Redis.from_url(servers.redis_url) as client:
            client.set("lock:k", "theirs")
        return real(pipeline)

    monkeypatch.setattr(Pipeline, "multi", lapsing)
    await cache.store(answer("k"), "mine")
    assert await redis("GET", "lock:k") == b"theirs"
    assert await kept(cache, "k") == answer("k")


async def test_a_read_only_replica_still_answers_reads(cache, configured):
    """READONLY is an outage of writes: nobody can claim, so everybody goes ahead, with what is kept."""
    await cache.store(answer("k"), None)
    async with configured([("REPLICAOF", "127.0.0.1", "1")], [("REPLICAOF", "NO", "ONE")]):
        with pytest.raises(UnavailableError):
            await cache.store(answer("k"), None)
        assert await kept(cache, "k")
        assert await cache.claim("k", "mine", 10) == Claimed(held=True, answer=answer("k"))


async def test_random_cancels_show_nobody_anothers_value(cache, link):
    """1,500 calls whose callers leave at random moments: every value read is of its own key, and no connection is lost."""
    dice = random.Random(seed := random.randrange(10**6))
    print("seed", seed)  # noqa: T201
    for number in range(20):
        await cache.store(answer(str(number)), None)
    read = []

    async def load():
        for _ in range(60):
            key = str(dice.randrange(20))
            with trio.move_on_after(dice.choice((dice.uniform(0, 0.02), PATIENCE_S))):
                try:
                    read.append((key, (await kept(cache, key)).harvest.query.key))
                except BusyError:
                    await trio.sleep(0.002)

    async with trio.open_nursery() as nursery:
        for _ in range(25):  # more than there are slots
            nursery.start_soon(load)
    await link._lane.idle()
    assert read
    assert all(asked == got for asked, got in read)
    assert not link.redis.connection_pool._in_use_connections
