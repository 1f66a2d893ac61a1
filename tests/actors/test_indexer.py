"""The indexer: what an older version wrote is read soon, a backlog quickly, whatever the database does meanwhile."""

import pytest
import trio

from newsintel.actors import indexer
from tests.fakes.basics import Counts
from tests.fakes.likeness import MemoryTextIndex


async def run_for(time_s, index):
    """Run the actor for a time; returns its counts. It must end promptly."""
    counts = Counts()
    with trio.move_on_after(time_s) as scope:
        await indexer.run(index=index, count=counts)
    assert scope.cancelled_caught
    return counts


async def test_articles_are_read_within_a_minute(autojump_clock):
    """And counted."""
    index = MemoryTextIndex(7)
    assert await run_for(indexer.EVERY_S + 1, index) == {"indexed_articles": 7}
    assert index.waiting == 0


async def test_a_backlog_goes_batch_after_batch(autojump_clock):
    """A thousand batches do not wait for a thousand pauses."""
    index = MemoryTextIndex(10_000)
    await run_for(indexer.EVERY_S + 1_000 * indexer.BUSY_S + 1, index)
    assert index.waiting == 0


async def test_failure_is_counted_and_made_up_for(autojump_clock):
    """With the database away nothing ends; once it is back the articles are read."""
    index = MemoryTextIndex(5)
    index.away = True
    assert (await run_for(600, index))["index_failures"] >= 9
    index.away = False
    assert await run_for(indexer.EVERY_S + 1, index) == {"indexed_articles": 5}


async def test_bug_ends_the_actor(autojump_clock):
    """An exception that nobody foresaw leaves it."""
    with pytest.raises(TypeError):
        await run_for(600, MemoryTextIndex(None))
