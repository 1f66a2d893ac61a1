"""The recorder: appends answered searches to the search history and to the counts of people.

It is lossy on purpose, and losses are counted: no search waits for it. It skips a repeat that
another process has already recorded. If Redis is unavailable, it records the repeat: a duplicate
is better than a loss.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import trio

from newsintel.domain.intelligence.marks import SearchMarker
from newsintel.domain.intelligence.ports import SearchMarks
from newsintel.domain.personal.ports import History
from newsintel.domain.ports import Count, Repeats, WallClock
from newsintel.domain.search.history import REPEAT_S, SearchRecord
from newsintel.errors import UnavailableError
from newsintel.runtime.halving import save_halving
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
    count: Count,
    now: WallClock,
) -> None:
    """Record until the inbox ends.

    Owns: its inbox.
    """
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
            try:
                count(
                    "recorded_searches",
                    await _write_halving(fresh, history.record_searches, count, "history"),
                )
            except UnavailableError as error:
                log.debug("searches_not_recorded", searches=len(fresh), reason=str(error))
                count("refusals", len(fresh), inbox="history")
            await _mark(fresh, marking, marks, count)


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


async def _mark(
    searches: Sequence[SearchRecord], marking: SearchMarker, marks: SearchMarks, count: Count
) -> None:
    """Count searches per person.

    This is a separate write from the history: it may be retried without counting anybody twice.
    """
    marked = [found for search in searches if (found := marking.mark(search)) is not None]
    try:
        await _write_halving(marked, marks.add, count, "marks")
    except UnavailableError as error:
        log.debug("searches_not_counted", searches=len(marked), reason=str(error))
        count("refusals", len(marked), inbox="marks")


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
