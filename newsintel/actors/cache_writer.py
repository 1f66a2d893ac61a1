"""The cache writer: takes landed answers in, keeps them in Redis. Lossy on purpose: what Redis does not take can be fetched again."""

import trio

from newsintel.domain.bounds.room import Room
from newsintel.domain.ports import Count
from newsintel.domain.search.harvest import CacheWrite
from newsintel.domain.search.ports import HarvestCache
from newsintel.domain.search.sizes import answer_bytes
from newsintel.errors import UnavailableError


async def run(inbox: trio.MemoryReceiveChannel[CacheWrite], *, room: Room, cache: HarvestCache, count: Count) -> None:
    """Write until the inbox ends. A write gives the claim on its key back in the same operation; after a failed one it is given back alone.

    Owns: its inbox.

    Args:
        inbox: the writes.
        room: what the inbox's answers take; each is given back once it is written.
        cache: where to.
        count: counts.
    """
    with inbox:
        async for write in inbox:
            try:
                await cache.store(write.answer, write.lock_token)
            except UnavailableError:
                count("cache_errors", operation="store")
                await _unlock(write, cache, count)
            finally:
                room.give_back(answer_bytes(write.answer))


async def _unlock(write: CacheWrite, cache: HarvestCache, count: Count) -> None:
    if write.lock_token is None:
        return
    try:
        await cache.unlock(write.answer.harvest.query.key, write.lock_token)
    except UnavailableError:
        count("cache_errors", operation="unlock")
