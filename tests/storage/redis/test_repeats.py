"""What was seen a short while ago, on a real Redis."""

import trio

from newsintel.storage.redis.repeats import RedisRepeats


async def test_a_key_is_new_once(link):
    """Also within one call, and among several that come at once."""
    repeats = RedisRepeats(link)
    assert await repeats.first([("a", 600), ("b", 600), ("a", 600)]) == [True, True, False]
    assert await repeats.first([("b", 600), ("c", 600)]) == [False, True]
    found = []

    async def ask():
        found.extend(await repeats.first([("d", 600)]))

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(ask)
    assert sorted(found) == [False] * 4 + [True]


async def test_a_key_lapses(link, redis):
    """After its seconds, of which a repetition adds none; one whose time is over already lapses at once."""
    repeats = RedisRepeats(link)
    await repeats.first([("a", 600)])
    left_ms = await redis("PTTL", "seen:a")
    assert 0 < left_ms <= 600_000
    await repeats.first([("a", 6000)])
    assert await redis("PTTL", "seen:a") <= left_ms
    assert await repeats.first([("late", -5)]) == [True]
    await trio.sleep(0.05)
    assert await repeats.first([("late", -5)]) == [True]


async def test_nothing_costs_nothing(link):
    """No keys, no answers."""
    assert await RedisRepeats(link).first([]) == []
