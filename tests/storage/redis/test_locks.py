"""Claims in a real Redis: one holder at a time, and nobody gives back what is another's."""

import pytest
import trio

from newsintel.storage.redis.locks import RedisLocks


@pytest.fixture
def locks(link):
    """In an empty Redis."""
    return RedisLocks(link)


async def test_of_many_one_gets_it(locks):
    """At the same moment, from wherever."""
    got = []

    async def claim(token):
        got.append(await locks.lock("a", token, 600))

    async with trio.open_nursery() as nursery:
        for number in range(15):
            nursery.start_soon(claim, str(number))
    assert sorted(got) == [False] * 14 + [True]
    assert await locks.lock("b", "1", 600)


async def test_only_its_holder_gives_it_back(locks):
    """A latecomer whose claim has lapsed takes nothing from the next."""
    assert await locks.lock("a", "first", 600)
    await locks.unlock("a", "second")
    assert not await locks.lock("a", "second", 600)
    await locks.unlock("a", "first")
    assert await locks.lock("a", "second", 600)
    await locks.unlock("gone", "first")


async def test_a_claim_lapses(locks, redis):
    """Its holder may have died."""
    assert await locks.lock("a", "first", 0.05)
    await trio.sleep(0.1)
    assert await locks.lock("a", "second", 600)
    assert 0 < await redis("PTTL", "once:a") <= 600_000
