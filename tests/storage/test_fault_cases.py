"""Numbered faults of both stores that no test of a single port covers; see docs/resilience.md."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trio
from attrs import evolve

from newsintel.config.values import Quota, Secret
from newsintel.domain.search.freshness import Windows
from newsintel.errors import RateLimitedError, UnavailableError
from newsintel.runtime.limits.limiter import Limiter
from newsintel.runtime.search.claims import SharedCache
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.pool import open_postgres
from newsintel.storage.redis.breaker import FAILURES
from newsintel.storage.redis.counters import RedisCounter
from newsintel.storage.redis.harvests import RedisCache
from newsintel.storage.redis.link import open_redis
from newsintel.storage.redis.sessions import RedisSessions
from tests.fakes.basics import Counts
from tests.forwarder import forwarding
from tests.make import account_id
from tests.storage.redis_servers import redis_server
from tests.storage.support import NOON, answer, article, kept
from tests.storage.test_redis_replies import saying
from tests.waiting import PATIENCE_S, until

WINDOWS = Windows(300, 60, 3600, 30)


@pytest.fixture
def redis_reply_s():
    """The service's own: Redis answers late, or not at all."""
    return 0.25


async def answers(call):
    """Whether a call succeeds."""
    try:
        await call()
    except UnavailableError:
        return False
    return True


async def test_case_18_late_replies_of_a_slow_redis_reach_no_later_caller(
    bridge, servers, link, tally, monkeypatch
):
    """Each caller gives up after the time limit, and none is asked once the breaker is open.

    Then all late replies arrive at once; the next callers get their own values.
    """
    monkeypatch.setattr("newsintel.storage.redis.breaker.FIRST_PAUSE_S", PATIENCE_S)
    async with (
        forwarding(servers.redis_url.removeprefix("unix://")) as name,
        open_redis(bridge, Secret(f"redis://127.0.0.1:{name.port}"), None) as slow,
    ):
        cache = RedisCache(slow, keep_s=60, count=tally)
        keys = [str(number) for number in range(FAILURES)]
        for key in keys:
            await until(lambda key=key: answers(lambda: cache.store(answer(key), None)))
        name.hold_replies()
        for key in keys:
            assert not await answers(lambda key=key: kept(cache, key))
        assert slow.breaker_open
        opened = name.opened
        assert [await answers(slow.ping) for _ in range(20)] == [False] * 20
        assert name.opened == opened
        name.mend()
        slow.servers.first.breaker._refusing_until_s = 0  # the pause is over
        await until(lambda: answers(slow.ping))
        for key in reversed(keys):
            assert await until(lambda key=key: kept(cache, key)) == answer(key)
    assert tally.counts == {}


async def test_case_18_a_limit_holds_in_each_process_while_redis_is_slow(
    bridge, servers, link, monkeypatch
):
    """Each process counts alone, and says so in a metric."""
    count = Counts()
    async with (
        forwarding(servers.redis_url.removeprefix("unix://")) as name,
        open_redis(bridge, Secret(f"redis://127.0.0.1:{name.port}"), None) as slow,
    ):
        name.hold_replies()
        limiter = Limiter("search", Quota(5, 60), RedisCounter(slow), count, lambda: 60_000.0)
        taken = [await limiter_admits(limiter) for _ in range(12)]
        name.mend()
    assert taken.count(True) == 5
    assert count["lease_errors search"] > 0


async def limiter_admits(limiter):
    """Whether a limiter admits one more call of a person."""
    try:
        await limiter.take("alice")
    except RateLimitedError:
        return False
    return True


@asynccontextmanager
async def full(folder):
    """A server without room that evicts nothing."""
    async with redis_server(folder / "s", maxmemory_policy="noeviction") as server:
        yield server, lambda: server.run("CONFIG", "SET", "maxmemory", "1")


@asynccontextmanager
async def read_only(folder):
    """A server that becomes the replica of an unreachable primary."""
    async with redis_server(folder / "s") as server:
        yield server, lambda: server.run("REPLICAOF", "127.0.0.1", 1)


@asynccontextmanager
async def failed_snapshot(folder):
    """A server that refuses writes (MISCONF) because its last snapshot failed."""
    async with redis_server(folder / "s", dir="/proc") as server:

        def break_it():
            server.run("CONFIG", "SET", "save", "3600 1")
            server.run("BGSAVE")

        yield server, break_it


@asynccontextmanager
async def loading(folder):
    """A server that reads its data after a start and answers everything with -LOADING."""
    async with saying(folder, line="LOADING Redis is loading the dataset in memory") as server:
        yield server, lambda: None


@pytest.mark.parametrize("state", [full, read_only, failed_snapshot, loading])
async def test_case_19_a_redis_that_takes_no_writes_costs_no_read(
    bridge, tmp_path, monkeypatch, tally, state
):
    """Answers are still read, searches go on without a claim, and a sign-in is an outage: 503."""
    monkeypatch.setattr("newsintel.storage.redis.server.SOCKET_S", PATIENCE_S)
    async with (
        state(tmp_path) as (server, break_it),
        open_redis(bridge, Secret(f"unix://{server.socket}"), None) as link,
    ):
        cache = RedisCache(link, keep_s=60, count=tally)
        sessions = RedisSessions(
            link, idle_s=3600, max_s=86400, count=tally, now=lambda: datetime.now(UTC)
        )
        readable = state is not loading
        if readable:
            await cache.store(answer("k"), None)
        break_it()

        async def refuses_writes():
            return not await answers(lambda: cache.store(answer("other"), None))

        await until(refuses_writes)
        with pytest.raises(UnavailableError):
            await sessions.start(account_id(7), "")
        if readable:
            claimed = await cache.claim("k", "mine", 10)
            assert (claimed.held, claimed.answer) == (True, answer("k"))
            assert await kept(cache, "k") == answer("k")
        else:
            with pytest.raises(UnavailableError):
                await cache.claim("k", "mine", 10)


async def test_case_18_a_claim_whose_reply_was_lost_is_given_back(bridge, servers, link):
    """Redis took the claim, and its reply did not arrive: the flight goes on and gives it back.

    Otherwise other processes would wait for a flight that may have failed, until it expires.
    """
    count = Counts()
    async with (
        forwarding(servers.redis_url.removeprefix("unix://")) as name,
        open_redis(bridge, Secret(f"redis://127.0.0.1:{name.port}"), None) as deaf,
    ):
        ours = SharedCache(RedisCache(deaf, keep_s=60, count=count), WINDOWS, count, lambda: NOON)
        theirs = RedisCache(link, keep_s=60, count=count)
        await until(lambda: answers(deaf.ping))
        name.drop_replies()
        deadline = trio.current_time() + PATIENCE_S
        async with ours.claim("k", None, deadline, meanwhile=lambda _: None):
            assert not (await theirs.claim("k", "theirs", 10)).held
            name.mend()
        assert (await theirs.claim("k", "theirs", 10)).held
    assert count["cache_errors claim"] == 1


async def test_a_full_redis_evicts_what_expires_first_and_no_session(bridge, tmp_path):
    """The policy volatile-ttl, with the lifetimes of the service's own keys.

    What goes first are the counters and claims of the next seconds: then each process counts alone,
    and two may ask a source at once. Sessions of the whole time are there.
    """
    kinds = {"lock": 2, "rate": 60, "attempt": 600, "session": 14 * 86_400}
    options = {"maxmemory": "6mb", "maxmemory_policy": "volatile-ttl"}
    async with redis_server(tmp_path / "s", **options) as server:
        for kind, ttl_s in kinds.items():
            for number in range(200):
                server.run("SET", f"{kind}:{number}", "x" * 100, "EX", ttl_s + 100)
        for number in range(3_000):
            server.run("SET", f"articles:{number}", "x" * 5_000, "EX", 3_900)
        left = {kind: len(server.run("KEYS", f"{kind}:*")) for kind in kinds}
        assert int(server.client.info("stats")["evicted_keys"]) > 1_000
    assert left["session"] == 200
    # Redis samples a few keys for each eviction, so a few may survive.
    assert max(left["lock"], left["rate"], left["attempt"]) < 40
    print(left)  # noqa: T201 - docs/resilience.md quotes it


FIRST, SECOND = (article(name, external_id=name) for name in ("one", "two"))
COLLISIONS = {
    "one url, a new external id": [FIRST, evolve(FIRST, external_id="new")],
    "one external id, a new url": [FIRST, evolve(SECOND, external_id=FIRST.external_id)],
    "both are those of two rows": [FIRST, SECOND, evolve(FIRST, external_id=SECOND.external_id)],
}


@pytest.mark.parametrize("case", COLLISIONS)
async def test_case_29_the_address_decides_whatever_the_order(
    bridge, database_url, postgres, fetch, case
):
    """Two processes save the same articles in opposite orders at once, again and again.

    Nothing fails, each address is one row, and each article can be opened by its id.
    """
    async with open_postgres(bridge, Secret(database_url), None, 4) as other:
        rows = [(one, NOON) for one in COLLISIONS[case]]
        async with trio.open_nursery() as nursery:
            for pool, order in ((postgres, rows), (other, rows[::-1])):
                for _ in range(10):
                    nursery.start_soon(PostgresArchive(pool).save_articles, order, [])
        wanted = {one.id for one in COLLISIONS[case]}
        assert {row[0] for row in await fetch("SELECT public_id FROM articles")} == wanted
        for article_id in wanted:
            found = await PostgresArchive(other).get_article(article_id)
            assert found.article.url == next(
                one.url for one in COLLISIONS[case] if one.id == article_id
            )
