"""The latency writer: every few seconds hands what the fetchers counted to Redis, where `newsintel deadlines` reads it.

It has no inbox that could end, so the composition root cancels it when nobody asks any more; it then writes once more, in bounded time.
Lossy on purpose: adding is not to be tried again, so what Redis does not take is counted and gone.
"""

from functools import partial

import trio

from newsintel.domain.operations.latencies import Tally
from newsintel.domain.operations.ports import LatencyStore
from newsintel.domain.ports import Count, WallClock
from newsintel.errors import UnavailableError
from newsintel.runtime.periodic import repeat

EVERY_S = 10.0
"""Between writes, each pause shortened by up to half at random: what `deadlines` shows is no older."""
LAST_S = 0.5
"""For the last write, when the service ends: two of Redis' own time limits."""


async def run(*, tally: Tally, store: LatencyStore, count: Count, now: WallClock) -> None:
    """Write until cancelled.

    Args:
        tally: what is written; its size is bounded whatever the traffic, so that it may wait.
        store: where to.
        count: told of `lost_latencies`.
        now: the time of day, which tells the day.
    """
    write = partial(_write, tally, store, count, now)
    try:
        await repeat(write, every_s=EVERY_S, first_s=EVERY_S)
    finally:
        with trio.move_on_after(LAST_S, shield=True):
            await write()


async def _write(tally: Tally, store: LatencyStore, count: Count, now: WallClock) -> None:
    counts = tally.take()
    if not counts:
        return
    try:
        await store.add(now().date(), counts)
    except UnavailableError:
        count("lost_latencies", sum(counts.values()))
