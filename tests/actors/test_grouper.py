"""The grouper places articles soon, and a backlog quickly.

A database that fails does not end it.
"""

import pytest
import trio

from newsintel.actors import grouper
from newsintel.errors import PoisonedBatchError
from tests.fakes.basics import Counts, MemoryStories


async def run_for(time_s, stories):
    """Run the actor until it is cancelled after a time, and return its counts."""
    counts = Counts()
    with trio.move_on_after(time_s) as scope:
        await grouper.run(stories=stories, count=counts)
    assert scope.cancelled_caught
    return counts


async def test_articles_are_placed_and_counted_within_seconds(autojump_clock):
    """From the start of the actor."""
    stories = MemoryStories(7)
    assert await run_for(grouper.EVERY_S + 1, stories) == {"grouped_articles": 7}
    assert stories.waiting == 0


async def test_a_backlog_is_worked_off_with_short_pauses(autojump_clock):
    """After a batch, the actor waits for BUSY_S and not for EVERY_S."""
    stories = MemoryStories(10_000)
    await run_for(grouper.EVERY_S + 1_000 * grouper.BUSY_S + 1, stories)
    assert stories.waiting == 0


async def test_a_failure_is_counted_and_retried(autojump_clock):
    """While the database is away the actor runs on. Then it places the articles."""
    stories = MemoryStories(5)
    stories.away = True
    assert (await run_for(60, stories))["grouping_failures"] >= 10
    stories.away = False
    assert await run_for(grouper.EVERY_S + 1, stories) == {"grouped_articles": 5}


async def test_refused_content_does_not_end_the_actor(autojump_clock, monkeypatch):
    """It counts as a failure and is retried."""

    async def refuse():
        raise PoisonedBatchError("PostgreSQL refused the content")

    stories = MemoryStories(5)
    monkeypatch.setattr(stories, "place_batch", refuse)
    assert (await run_for(60, stories))["grouping_failures"] >= 10


async def test_a_bug_ends_the_actor(autojump_clock):
    """An unexpected exception is not swallowed."""
    with pytest.raises(TypeError):
        await run_for(60, MemoryStories(None))
