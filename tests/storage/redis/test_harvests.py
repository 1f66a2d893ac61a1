"""Harvests on a real Redis: which values are shown, and who holds a claim."""

import asyncio
import random

import pytest
import trio
from redis.asyncio.client import Pipeline

from newsintel.config.values import Secret
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search.codec import dump_answer
from newsintel.domain.search.ports import ClaimResult
from newsintel.errors import BusyError, UnavailableError
from newsintel.storage.redis.harvests import INDEX_S, RedisCache
from newsintel.storage.redis.link import open_redis
from tests.make import answer as whole_answer
from tests.make import outcome
from tests.make import query as whole_query
from tests.storage.redis_clusters import open_client
from tests.storage.support import ON_ONE_SERVER, answer, kept
from tests.waiting import PATIENCE_S


@pytest.fixture
async def other(bridge, redis_url, tally):
    """The cache of another process."""
    async with open_redis(bridge, Secret(redis_url), None) as link:
        yield RedisCache(link, keep_s=60, count=tally)


async def test_harvest_is_read_back_and_expires(cache, redis):
    """It is read back unchanged. Redis deletes it after TTL and STALE."""
    assert await kept(cache, "k") is None
    await cache.store(answer("k"), None)
    assert await kept(cache, "k") == answer("k")
    assert 3300 < await redis("TTL", "articles:k") <= 3900


@pytest.mark.parametrize(
    "wrong", [run_all(dump_answer(answer("other"))), b"", b"{", b'{"v": 0}', b"null", b"\xff\x00"]
)
async def test_wrong_value_is_a_miss_deleted_and_counted(cache, redis, tally, wrong):
    """The value is another key's harvest, has an old version, or is invalid."""
    await redis("SET", "articles:k", wrong)
    assert await kept(cache, "k") is None
    assert await redis("EXISTS", "articles:k") == 0
    assert tally.counts == {"cache_mismatches": 1}


@ON_ONE_SERVER
async def test_unread_reply_reaches_no_caller(bridge, link, name, tally):
    """Otherwise a connection that is one reply behind would give a caller the value of another.

    Over TCP, where redis-py's own defaults skip the check.
    """
    async with open_redis(bridge, Secret(f"redis://127.0.0.1:{name.port}"), None) as over_tcp:
        await leave_unread(over_tcp, RedisCache(over_tcp, keep_s=60, count=tally))
    assert tally.counts == {}


async def leave_unread(link, cache):
    """Leave a reply unread on the connection of the next caller."""
    await cache.store(answer("alice"), None)
    await cache.store(answer("bob"), None)

    async def leave_a_reply_unread():
        connection = await link.servers.first.redis.connection_pool.get_connection()
        await connection.send_command("GET", "articles:alice")
        while not connection._reader._buffer:  # noqa: ASYNC110 - there is no signal
            await asyncio.sleep(0.01)
        await link.servers.first.redis.connection_pool.release(connection)

    await link._lane.run(leave_a_reply_unread)
    assert (await kept(cache, "bob")).harvest.query.key == "bob"


@pytest.mark.parametrize("token", [None, "mine"])
async def test_every_process_finds_an_article_of_a_stored_answer(cache, other, token):
    """Whether the answer was stored alone or with its claim; the latest answer that has it wins."""
    if token:
        await cache.claim("k", token, 10)
    stored = whole_answer(outcome("guardian"), outcome("reddit"), asked=whole_query("k"))
    await cache.store(stored, token)
    for one in stored.harvest.articles:
        found = await other.find_article(one.id)
        assert (found.article, found.fetched_at) == (one, stored.harvest.fetched_at)
    assert await other.find_article("a_unknown") is None
    await cache.delete_answers(["k"])
    assert await other.find_article(stored.harvest.articles[0].id) is None


async def test_articles_are_noted_for_minutes(link, tally, redis):
    """In two hashes at most; each expires by itself."""
    now_s = [INDEX_S * 1000.0]
    cache = RedisCache(link, keep_s=3900, count=tally, now_s=lambda: now_s[0])
    await cache.store(whole_answer(outcome("guardian"), asked=whole_query("k")), None)
    assert INDEX_S < await redis("TTL", "found:1000") <= 2 * INDEX_S
    for later_s, known in ((0, True), (INDEX_S, True), (2 * INDEX_S, False)):
        now_s[0] = INDEX_S * 1000.0 + later_s
        assert (await cache.find_article("a_guardian1") is not None) is known


async def test_a_note_that_is_no_key_finds_nothing(cache, redis):
    """A foreign value in the hash is a miss."""
    await cache.store(whole_answer(outcome("guardian"), asked=whole_query("k")), None)
    (name,) = await redis("KEYS", "found:*")
    await redis("HSET", name, "a_guardian1", b"\xff\x00")
    assert await cache.find_article("a_guardian1") is None


async def test_claim_has_one_holder_until_released_or_expired(cache, other, redis):
    """One of two processes gets it. Only its token releases it, and it expires by itself."""
    assert (await cache.claim("k", "mine", 600)).held
    assert 0 < await redis("PTTL", "lock:{articles:k}") <= 600_000
    assert not (await other.claim("k", "theirs", 10)).held
    assert not (await cache.claim("k", "mine", 600)).held
    await other.release_claim("k", "theirs")
    assert not (await other.claim("k", "theirs", 10)).held
    await cache.release_claim("k", "mine")
    assert (await other.claim("k", "theirs", 0.05)).held
    await trio.sleep(0.1)
    assert (await cache.claim("k", "mine", 10)).held
    assert await redis("KEYS", "*") == [b"lock:{articles:k}"]


async def test_storing_releases_only_the_own_claim(cache, other):
    """The write releases it in the same operation.

    After it has expired, a later holder keeps the claim.
    """
    assert (await cache.claim("k", "mine", 10)).held
    await cache.store(answer("k"), "mine")
    assert (await other.claim("k", "theirs", 10)).held
    await cache.store(answer("k"), "mine")
    assert not (await cache.claim("k", "mine", 600)).held


@ON_ONE_SERVER
async def test_refused_store_keeps_the_claim(cache, other, redis, configured):
    """A full Redis refuses the write. The claim can then be released alone, or expires."""
    assert (await cache.claim("k", "mine", 10)).held
    full = [
        ("CONFIG", "SET", "maxmemory-policy", "noeviction"),
        ("CONFIG", "SET", "maxmemory", "1"),
    ]
    roomy = [
        ("CONFIG", "SET", "maxmemory", "256mb"),
        ("CONFIG", "SET", "maxmemory-policy", "volatile-ttl"),
    ]
    async with configured(full, roomy):
        with pytest.raises(UnavailableError):
            await cache.store(answer("k"), "mine")
        assert await redis("EXISTS", "lock:{articles:k}") == 1
    assert await kept(cache, "k") is None
    await cache.release_claim("k", "mine")
    assert (await other.claim("k", "theirs", 10)).held


async def test_claim_returns_the_cached_answer(cache, other):
    """The same round trip returns what is cached by then.

    A caller that does not get the claim also gets it.
    """
    await cache.store(answer("k"), None)
    assert await cache.claim("k", "mine", 10) == ClaimResult(held=True, answer=answer("k"))
    assert await other.claim("k", "theirs", 10) == ClaimResult(held=False, answer=answer("k"))


async def test_claim_that_changes_hands_during_release_is_kept(
    cache, redis, redis_url, monkeypatch
):
    """The token is checked and deleted in one step, so the later holder keeps the claim.

    The answer is stored in any case.
    """
    assert (await cache.claim("k", "mine", 10)).held
    real = Pipeline.multi

    def lapsing(pipeline):
        monkeypatch.setattr(Pipeline, "multi", real)
        with open_client(redis_url) as client:
            client.set("lock:{articles:k}", "theirs")
        return real(pipeline)

    monkeypatch.setattr(Pipeline, "multi", lapsing)
    await cache.store(answer("k"), "mine")
    assert await redis("GET", "lock:{articles:k}") == b"theirs"
    assert await kept(cache, "k") == answer("k")


@ON_ONE_SERVER
async def test_read_only_replica_still_answers_reads(cache, configured):
    """READONLY is an outage of writes.

    No caller can get a claim, so every caller proceeds with the cached answer.
    """
    await cache.store(answer("k"), None)
    async with configured([("REPLICAOF", "127.0.0.1", "1")], [("REPLICAOF", "NO", "ONE")]):
        with pytest.raises(UnavailableError):
            await cache.store(answer("k"), None)
        assert await kept(cache, "k")
        assert await cache.claim("k", "mine", 10) == ClaimResult(held=True, answer=answer("k"))


async def test_random_cancels_never_mix_up_values(cache, link):
    """1,500 calls are cancelled at random moments.

    Every value that is read belongs to its key, and no connection is lost.
    """
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
    await link._lane.wait_until_idle()
    assert read
    assert all(asked == got for asked, got in read)
    for server in link.servers.list_servers():
        assert not server.redis.connection_pool._in_use_connections
