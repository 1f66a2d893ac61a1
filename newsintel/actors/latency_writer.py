"""The latency writer: every few seconds it adds the fetchers' latency counts to Redis.

`newsintel deadlines` reads them there. The writer has no inbox that could end, so the composition
root cancels it when requests have ended; it then writes once more, within a time limit. It is lossy
on purpose: a retry could count a latency twice, so counts that Redis does not take are counted as
lost.
"""

from functools import partial

import trio

from newsintel.domain.operations.latencies import Tally
from newsintel.domain.operations.ports import LatencyStore
from newsintel.domain.ports import Count, WallClock
from newsintel.errors import UnavailableError
from newsintel.runtime.periodic import repeat

EVERY_S = 10.0
"""Pause between writes, shortened by up to half at random. The data of `deadlines` is no older."""
LAST_S = 0.5
"""Time limit for the last write, when the service ends: twice the time limit of a Redis call."""


async def run(*, tally: Tally, store: LatencyStore, count: Count, now: WallClock) -> None:
    """Write until cancelled.

    Args:
        tally: the counts to write. Its size is bounded whatever the traffic, so it can wait.
        store: the store.
        count: counts `lost_latencies`.
        now: the time of day; counts are stored per day.
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
