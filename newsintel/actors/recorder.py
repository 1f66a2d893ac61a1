"""The recorder: appends answered searches to the search history and to the counts of people.

While PostgreSQL is away, it spools searches for the history, without the person and what the counts
need; the counts lose them. No search waits for it, and losses are counted. It skips a repeat that
another process has already recorded. If Redis is unavailable, it records the repeat: a duplicate
is better than a loss.
"""

from collections.abc import Sequence
from functools import partial

import trio

from newsintel.domain.intelligence.marks import SearchMarker
from newsintel.domain.intelligence.ports import SearchMarks
from newsintel.domain.personal.ports import History
from newsintel.domain.ports import Count, Repeats, WallClock
from newsintel.domain.search.history import REPEAT_S, SearchRecord
from newsintel.errors import UnavailableError
from newsintel.runtime.attempts import Attempts
from newsintel.runtime.heartbeats import at_work
from newsintel.runtime.personal.history_writing import record_searches, write_searches
from newsintel.runtime.spool import Spool

BATCH_ROWS = 100
BATCH_S = 1.0
"""A batch is written when it has BATCH_ROWS rows, or BATCH_S after its first.

So the history may be a second late.
"""


async def run(
    inbox: trio.MemoryReceiveChannel[SearchRecord],
    *,
    history: History,
    repeats: Repeats,
    marking: SearchMarker,
    marks: SearchMarks,
    spool: Spool,
    count: Count,
    now: WallClock,
) -> None:
    """Record until the inbox ends.

    Owns: its inbox.
    """
    recording, counting = Attempts(spool), Attempts(spool)
    with inbox:
        async for first in inbox:
            with at_work():
                searches = await _fill(inbox, first)
                fresh = await _drop_repeats(searches, repeats, count, now)
                marked = [found for search in fresh if (found := marking.mark(search)) is not None]
                if not await recording.save(partial(record_searches, fresh, history, count)):
                    await spool.put_searches(fresh)
                # This is a separate write: it may be retried without counting anybody twice.
                add = partial(write_searches, marked, marks.add, count, "marks")
                if not await counting.save(add):
                    count("refusals", len(marked), inbox="marks")


async def _fill(
    inbox: trio.MemoryReceiveChannel[SearchRecord], first: SearchRecord
) -> Sequence[SearchRecord]:
    """Return a batch: BATCH_ROWS searches, or those that come within BATCH_S."""
    searches = [first]
    with trio.move_on_after(BATCH_S):
        while len(searches) < BATCH_ROWS:
            try:
                searches.append(await inbox.receive())
            except trio.EndOfChannel:
                break
    return searches


async def _drop_repeats(
    searches: Sequence[SearchRecord], repeats: Repeats, count: Count, now: WallClock
) -> Sequence[SearchRecord]:
    """Return the searches that no process has recorded within REPEAT_S of their answer."""
    passed_s = [(now() - search.searched_at).total_seconds() for search in searches]
    keys = [
        (search.repeat_key, REPEAT_S - passed)
        for search, passed in zip(searches, passed_s, strict=True)
    ]
    try:
        first = await repeats.remember_new(keys)
    except UnavailableError:
        count("cache_errors", operation="repeats")
        return searches
    return [search for search, new in zip(searches, first, strict=True) if new]
