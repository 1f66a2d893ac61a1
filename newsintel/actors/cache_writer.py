"""The cache writer: receives landed answers and stores them in Redis.

It is lossy on purpose: an answer that Redis does not store can be fetched again.
"""

import trio

from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.ports import Count
from newsintel.domain.search.harvest import CacheWrite
from newsintel.domain.search.ports import HarvestCache
from newsintel.domain.tracing import trace_step
from newsintel.errors import UnavailableError
from newsintel.runtime.heartbeats import at_work


async def run(
    inbox: trio.MemoryReceiveChannel[CacheWrite],
    *,
    room: ByteBudget,
    cache: HarvestCache,
    count: Count,
) -> None:
    """Write until the inbox ends.

    A write releases the claim (lock) on its key in the same operation. If the write fails, the
    claim is released separately.

    Owns: its inbox.

    Args:
        inbox: the writes.
        room: the bytes that the inbox's answers take; an answer's bytes are given back after its
            write, also if the write failed.
        cache: the store.
        count: counts `cache_errors`.
    """
    with inbox:
        async for write in inbox:
            try:
                with at_work(), trace_step("cache write", write.span) as span:
                    if not await _store(write, cache, count):
                        span.fail("unavailable")
            finally:
                room.release(write.answer.size_bytes)


async def _store(write: CacheWrite, cache: HarvestCache, count: Count) -> bool:
    """Write; return whether Redis took it."""
    try:
        await cache.store(write.answer, write.lock_token)
    except UnavailableError:
        count("cache_errors", operation="store")
        await _unlock(write, cache, count)
        return False
    return True


async def _unlock(write: CacheWrite, cache: HarvestCache, count: Count) -> None:
    if write.lock_token is None:
        return
    try:
        await cache.release_claim(write.answer.harvest.query.key, write.lock_token)
    except UnavailableError:
        count("cache_errors", operation="unlock")
