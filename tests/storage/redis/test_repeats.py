"""Recently seen keys on a real Redis."""

import trio

from newsintel.storage.redis.repeats import RedisRepeats


async def test_key_is_new_once(link):
    """This also holds within one call and for concurrent calls."""
    repeats = RedisRepeats(link)
    assert await repeats.remember_new([("a", 600), ("b", 600), ("a", 600)]) == [True, True, False]
    assert await repeats.remember_new([("b", 600), ("c", 600)]) == [False, True]
    found = []

    async def ask():
        found.extend(await repeats.remember_new([("d", 600)]))

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(ask)
    assert sorted(found) == [False] * 4 + [True]


async def test_key_expires(link, redis):
    """It expires after its seconds, and a repetition adds none.

    A key whose time is already over expires at once.
    """
    repeats = RedisRepeats(link)
    await repeats.remember_new([("a", 600)])
    left_ms = await redis("PTTL", "seen:a")
    assert 0 < left_ms <= 600_000
    await repeats.remember_new([("a", 6000)])
    assert await redis("PTTL", "seen:a") <= left_ms
    assert await repeats.remember_new([("late", -5)]) == [True]
    await trio.sleep(0.05)
    assert await repeats.remember_new([("late", -5)]) == [True]


async def test_no_keys_return_no_answers(link):
    """An empty list needs no request."""
    assert await RedisRepeats(link).remember_new([]) == []
