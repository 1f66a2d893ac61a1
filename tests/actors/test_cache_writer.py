"""The cache writer: lossy, counted, and never keeping a claim."""

import pytest
import trio

from newsintel.actors import cache_writer
from newsintel.domain.bounds.room import Room
from newsintel.domain.search.harvest import CacheWrite
from newsintel.domain.search.sizes import answer_bytes
from tests.fakes.basics import Counts, MemoryCache
from tests.make import answer, query


async def run_all(cache, counts, *writes):
    """Run the actor over some writes to its end."""
    send, inbox = trio.open_memory_channel(8)
    room = Room(2**20)
    with send:
        for write in writes:
            assert room.take(answer_bytes(write.answer))
            send.send_nowait(write)
    await cache_writer.run(inbox, room=room, cache=cache, count=counts)
    assert room.taken_bytes == 0
    return inbox


async def test_write_gives_the_claim_back():
    """A harvest is kept under its key and the claim released by the same call."""
    cache = MemoryCache()
    cache.locks["k"] = "ours"
    await run_all(cache, Counts(), CacheWrite(answer(asked=query()), "ours"))
    assert "k" in cache.kept
    assert cache.locks == {}


async def test_refused_write_is_counted_and_the_claim_released(monkeypatch):
    """When the write fails the claim is given back alone, and the next write is tried."""
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
    await run_all(cache, counts, CacheWrite(answer(asked=query()), "ours"), CacheWrite(answer(asked=query("other")), None))
    assert counts["cache_errors store"] == 1
    assert cache.locks == {}
    assert list(cache.kept) == ["other"]


async def test_redis_away_costs_counts_alone():
    """With Redis away every write is dropped and counted; the claim lapses by itself."""
    cache, counts = MemoryCache(), Counts()
    cache.away = True
    await run_all(cache, counts, CacheWrite(answer(), "ours"), CacheWrite(answer(), None))
    assert counts == {"cache_errors store": 2, "cache_errors unlock": 1}


async def test_bug_ends_the_actor(monkeypatch):
    """An exception that nobody foresaw leaves the actor."""
    cache = MemoryCache()
    monkeypatch.setattr(cache, "kept", None)
    with pytest.raises(TypeError):
        await run_all(cache, Counts(), CacheWrite(answer(), None))


@pytest.mark.parametrize("step", range(6))
async def test_cancelled_at_every_step(step):
    """Cancelled at any checkpoint, it closes its inbox."""
    send, inbox = trio.open_memory_channel(8)
    send.send_nowait(CacheWrite(answer(), None))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: cache_writer.run(inbox, room=Room(2**20), cache=MemoryCache(), count=Counts()))
        for _ in range(step + 1):
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    with pytest.raises(trio.BrokenResourceError):
        send.send_nowait(None)
