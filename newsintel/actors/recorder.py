"""The recorder: appends answered searches to the search history and to the counts of people.

While PostgreSQL is away, it spools searches for the history, without the person and what the counts
need; the counts lose them. No search waits for it, and losses are counted. It skips a repeat that
another process has already recorded. If Redis is unavailable, it records the repeat: a duplicate
is better than a loss.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import trio

from newsintel.domain.intelligence.marks import SearchMarker
from newsintel.domain.intelligence.ports import SearchMarks
from newsintel.domain.personal.ports import History
from newsintel.domain.ports import Count, Repeats, WallClock
from newsintel.domain.search.history import REPEAT_S, SearchRecord
from newsintel.errors import UnavailableError
from newsintel.runtime.attempts import Attempts
from newsintel.runtime.halving import save_halving
from newsintel.runtime.spool import Spool
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

T = TypeVar("T")

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
            searches = [first]
            with trio.move_on_after(BATCH_S):
                while len(searches) < BATCH_ROWS:
                    try:
                        searches.append(await inbox.receive())
                    except trio.EndOfChannel:
                        break
            fresh = await _drop_repeats(searches, repeats, count, now)
            marked = [found for search in fresh if (found := marking.mark(search)) is not None]
            if not await recording.save(partial(_record, fresh, history, count)):
                await spool.put_searches(fresh)
            # This is a separate write: it may be retried without counting anybody twice.
            if not await counting.save(partial(_write_halving, marked, marks.add, count, "marks")):
                count("refusals", len(marked), inbox="marks")


async def _record(searches: Sequence[SearchRecord], history: History, count: Count) -> None:
    written = await _write_halving(searches, history.record_searches, count, "history")
    count("recorded_searches", written)


async def _write_halving(
    rows: Sequence[T], write: Callable[[Sequence[T]], Awaitable[None]], count: Count, inbox: str
) -> int:
    """Write rows, without those that PostgreSQL refuses; return how many were written."""
    refused = 0

    async def refuse(_row: T, reason: str) -> None:
        nonlocal refused
        refused += 1
        log.warning("search_refused", kept_as=inbox, reason=reason)
        count("refusals", inbox=inbox)

    await save_halving(rows, write, refuse)
    return len(rows) - refused


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
