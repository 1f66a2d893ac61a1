"""The actors that work off a backlog do so soon, and quickly while there is more.

A database that fails does not end them.
"""

from functools import partial

import pytest
import trio
from attrs import frozen

from newsintel.actors import grouper, indexer, matcher, term_counter
from newsintel.errors import PoisonedBatchError
from tests.fakes.alerts import MemoryMatching
from tests.fakes.backlogs import MemoryBacklog, MemoryStories, MemoryTerms, MemoryTextIndex
from tests.fakes.basics import Counts


@frozen
class Actor:
    """An actor: its module, its port in memory, what it takes from it, and its two counters."""

    module: object
    port: type[MemoryBacklog]
    argument: str
    take: str
    done: str
    failed: str

    async def run_for(self, time_s, backlog):
        """Run the actor until it is cancelled after a time, and return its counts."""
        counts = Counts()
        run = partial(self.module.run, **{self.argument: backlog})
        with trio.move_on_after(time_s) as scope:
            await run(count=counts)
        assert scope.cancelled_caught
        return counts


ACTORS = {
    "grouper": Actor(
        grouper, MemoryStories, "stories", "place_batch", "grouped_articles", "grouping_failures"
    ),
    "indexer": Actor(
        indexer, MemoryTextIndex, "index", "index_batch", "indexed_articles", "index_failures"
    ),
    "matcher": Actor(
        matcher, MemoryMatching, "matching", "match_batch", "matched_articles", "matching_failures"
    ),
    "term_counter": Actor(
        term_counter, MemoryTerms, "terms", "apply_changes", "term_changes", "term_failures"
    ),
}


@pytest.fixture(params=ACTORS.values(), ids=ACTORS)
def actor(request):
    """Each of the actors."""
    return request.param


async def test_a_batch_is_taken_and_counted_soon(autojump_clock, actor):
    """Within the longest pause, from the start of the actor."""
    backlog = actor.port(7)
    assert await actor.run_for(actor.module.EVERY_S + 1, backlog) == {actor.done: 7}
    assert backlog.waiting == 0


async def test_a_backlog_is_worked_off_with_short_pauses(autojump_clock, actor):
    """After a batch, the actor waits for BUSY_S and not for EVERY_S."""
    backlog = actor.port(10_000)
    await actor.run_for(actor.module.EVERY_S + 1_000 * actor.module.BUSY_S + 1, backlog)
    assert backlog.waiting == 0


async def test_a_failure_is_counted_and_retried(autojump_clock, actor):
    """While the database is away the actor runs on. Then it takes what waits."""
    backlog = actor.port(5)
    backlog.away = True
    assert (await actor.run_for(10.5 * actor.module.EVERY_S, backlog))[actor.failed] >= 10
    backlog.away = False
    assert await actor.run_for(actor.module.EVERY_S + 1, backlog) == {actor.done: 5}


async def test_refused_content_does_not_end_the_actor(autojump_clock, monkeypatch, actor):
    """It counts as a failure and is retried."""

    async def refuse():
        raise PoisonedBatchError("PostgreSQL refused the content")

    backlog = actor.port(5)
    monkeypatch.setattr(backlog, actor.take, refuse)
    assert (await actor.run_for(10.5 * actor.module.EVERY_S, backlog))[actor.failed] >= 10


async def test_a_bug_ends_the_actor(autojump_clock, actor):
    """An unexpected exception is not swallowed."""
    with pytest.raises(TypeError):
        await actor.run_for(10 * actor.module.EVERY_S, actor.port(None))
