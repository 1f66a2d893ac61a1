"""The cache writer may drop writes. It counts them and always releases the claim."""

import pytest
import trio

from newsintel.actors import cache_writer
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.search.harvest import CacheWrite
from tests.fakes.basics import Counts, MemoryCache
from tests.fakes.spans import RecordedSpan
from tests.make import answer, query


async def run_all(cache, counts, *writes):
    """Run the actor over some writes until its inbox ends."""
    send, inbox = trio.open_memory_channel(8)
    room = ByteBudget(2**20)
    with send:
        for write in writes:
            assert room.reserve(write.answer.size_bytes)
            send.send_nowait(write)
    await cache_writer.run(inbox, room=room, cache=cache, count=counts)
    assert room.reserved_bytes == 0
    return inbox


async def test_a_write_releases_the_claim():
    """One call stores the harvest under its key and releases the claim."""
    cache = MemoryCache()
    cache.locks["k"] = "ours"
    await run_all(cache, Counts(), CacheWrite(answer(asked=query()), "ours"))
    assert "k" in cache.kept
    assert cache.locks == {}


async def test_a_failed_write_is_counted_and_releases_the_claim(monkeypatch):
    """The claim is released by a call of its own. The next write is tried."""
    cache, counts = MemoryCache(), Counts()
    cache.locks["k"] = "ours"
    real = cache.store

    async def full_at_first(*args):
        monkeypatch.setattr(cache, "store", real)
        cache.away = True
        try:
            await real(*args)
        finally:
            cache.away = False

    monkeypatch.setattr(cache, "store", full_at_first)
    await run_all(
        cache,
        counts,
        CacheWrite(answer(asked=query()), "ours"),
        CacheWrite(answer(asked=query("other")), None),
    )
    assert counts["cache_errors store"] == 1
    assert cache.locks == {}
    assert list(cache.kept) == ["other"]


async def test_while_redis_is_away_writes_are_dropped_and_counted():
    """The claim expires by itself."""
    cache, counts = MemoryCache(), Counts()
    cache.away = True
    await run_all(cache, counts, CacheWrite(answer(), "ours"), CacheWrite(answer(), None))
    assert counts == {"cache_errors store": 2, "cache_errors unlock": 1}


async def test_a_bug_ends_the_actor(monkeypatch):
    """An unexpected exception is not swallowed."""
    cache = MemoryCache()
    monkeypatch.setattr(cache, "kept", None)
    with pytest.raises(TypeError):
        await run_all(cache, Counts(), CacheWrite(answer(), None))


@pytest.mark.parametrize("step", range(6))
async def test_cancelled_at_any_checkpoint_it_closes_its_inbox(step):
    """So the sender learns that the actor has ended."""
    send, inbox = trio.open_memory_channel(8)
    send.send_nowait(CacheWrite(answer(), None))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: cache_writer.run(
                inbox, room=ByteBudget(2**20), cache=MemoryCache(), count=Counts()
            )
        )
        for _ in range(step + 1):
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    with pytest.raises(trio.BrokenResourceError):
        send.send_nowait(None)


@pytest.mark.parametrize("away", [False, True])
async def test_a_write_is_a_step_of_its_search(away):
    """It fails if Redis is away."""
    cache, search = MemoryCache(), RecordedSpan("search")
    cache.away = away
    await run_all(cache, Counts(), CacheWrite(answer(), None, search))
    (step,) = search.children
    assert (step.name, step.is_recording) == ("cache write", False)
    assert step.failure == ("unavailable" if away else None)
