"""Rate limits on a real Redis: two processes in random order never admit one call too many."""

import random

import trio

from newsintel.config.values import Quota, Secret
from newsintel.errors import RateLimitedError
from newsintel.runtime.limits.limiter import Limiter
from newsintel.storage.redis.counters import RedisCounter
from newsintel.storage.redis.link import open_redis
from tests.fakes.basics import Counts
from tests.storage.support import ON_ONE_SERVER


def noon():
    """A moment far from the end of a day."""
    return 43_200.0


async def test_counter_returns_the_sum_and_expires(link, redis):
    """Each addition returns the sum; the key always has an expiry."""
    counter = RedisCounter(link)
    assert [await counter.add("limit:x", amount, 600) for amount in (3, 4)] == [3, 7]
    assert 0 < await redis("TTL", "limit:x") <= 600


async def test_two_processes_never_admit_more_than_the_limit(bridge, redis_url, link):
    """The order of leases and calls does not matter, and the whole limit can be used."""
    dice = random.Random(seed := random.randrange(10**6))
    print("seed", seed)  # noqa: T201
    async with open_redis(bridge, Secret(redis_url), None) as other:
        for number in range(8):
            limits = [
                Limiter(f"n{number}", Quota(50, 86_400), RedisCounter(one), Counts(), noon)
                for one in (link, other)
            ]
            admitted = []

            async def call(person, limits=limits, admitted=admitted):
                for _ in range(dice.randrange(5, 40)):
                    await trio.sleep(dice.choice((0, 0, 0.001)))
                    try:
                        await dice.choice(limits).take(person)
                    except RateLimitedError:
                        continue
                    admitted.append(person)

            async with trio.open_nursery() as nursery:
                for _ in range(12):
                    nursery.start_soon(call, "p")
            assert len(admitted) <= 50
            for limit in limits:
                while not limit.get_lease("p").is_over:
                    await limit.take("p")
                    admitted.append("p")
            assert len(admitted) == 50


@ON_ONE_SERVER
async def test_without_redis_each_process_applies_the_limit_alone(cut_off, name):
    """Each failure is counted."""
    counts = Counts()
    limit = Limiter("search", Quota(20, 86_400), RedisCounter(cut_off), counts, noon)
    await cut_off.ping()
    name.cut()
    admitted = 0
    while not limit.get_lease("p").is_over:
        await limit.take("p")
        admitted += 1
    assert admitted == 20
    assert counts["lease_errors search"] > 5
