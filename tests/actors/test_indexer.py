"""The indexer reads articles of an older version soon, and a backlog quickly.

A database that fails does not end it.
"""

import pytest
import trio

from newsintel.actors import indexer
from tests.fakes.basics import Counts
from tests.fakes.likeness import MemoryTextIndex


async def run_for(time_s, index):
    """Run the actor until it is cancelled after a time, and return its counts."""
    counts = Counts()
    with trio.move_on_after(time_s) as scope:
        await indexer.run(index=index, count=counts)
    assert scope.cancelled_caught
    return counts


async def test_articles_are_indexed_and_counted_within_a_minute(autojump_clock):
    """From the start of the actor."""
    index = MemoryTextIndex(7)
    assert await run_for(indexer.EVERY_S + 1, index) == {"indexed_articles": 7}
    assert index.waiting == 0


async def test_a_backlog_is_indexed_with_short_pauses(autojump_clock):
    """After a batch, the actor waits for BUSY_S and not for EVERY_S."""
    index = MemoryTextIndex(10_000)
    await run_for(indexer.EVERY_S + 1_000 * indexer.BUSY_S + 1, index)
    assert index.waiting == 0


async def test_a_failure_is_counted_and_retried(autojump_clock):
    """While the database is away the actor runs on. Then it indexes the articles."""
    index = MemoryTextIndex(5)
    index.away = True
    assert (await run_for(600, index))["index_failures"] >= 9
    index.away = False
    assert await run_for(indexer.EVERY_S + 1, index) == {"indexed_articles": 5}


async def test_a_bug_ends_the_actor(autojump_clock):
    """An unexpected exception is not swallowed."""
    with pytest.raises(TypeError):
        await run_for(600, MemoryTextIndex(None))
