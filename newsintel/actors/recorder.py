"""The recorder: takes answered searches in, appends them to the search history. Lossy on purpose, and counted: no search waits for it."""

import logging

import trio

from newsintel.errors import UnavailableError
from newsintel.model import SearchRecord
from newsintel.ports import Count, History

log = logging.getLogger(__name__)

BATCH_ROWS = 100
BATCH_S = 1.0
"""A batch is written when it has this many rows, or this long after its first; history may lag by a second."""


async def run(inbox: trio.MemoryReceiveChannel[SearchRecord], *, history: History, count: Count) -> None:
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
            try:
                await history.record(searches)
            except UnavailableError as error:
                log.warning("searches were not recorded", extra={"searches": len(searches), "reason": str(error)})
                count("refusals", len(searches), inbox="history")
            else:
                count("recorded_searches", len(searches))
