"""The term counter adds up changes soon, and a backlog quickly.

A database that fails does not end it.
"""

import pytest
import trio

from newsintel.actors import term_counter
from newsintel.errors import PoisonedBatchError
from tests.fakes.basics import Counts
from tests.fakes.likeness import MemoryTerms


async def run_for(time_s, terms):
    """Run the actor until it is cancelled after a time, and return its counts."""
    counts = Counts()
    with trio.move_on_after(time_s) as scope:
        await term_counter.run(terms=terms, count=counts)
    assert scope.cancelled_caught
    return counts


async def test_changes_are_added_up_and_counted_within_seconds(autojump_clock):
    """From the start of the actor."""
    terms = MemoryTerms(7)
    assert await run_for(term_counter.EVERY_S + 1, terms) == {"term_changes": 7}
    assert terms.waiting == 0


async def test_a_backlog_is_added_up_with_short_pauses(autojump_clock):
    """After a batch, the actor waits for BUSY_S and not for EVERY_S."""
    terms = MemoryTerms(10_000)
    await run_for(term_counter.EVERY_S + 1_000 * term_counter.BUSY_S + 1, terms)
    assert terms.waiting == 0


async def test_a_failure_is_counted_and_retried(autojump_clock):
    """While the database is away the actor runs on. Then it adds up the changes."""
    terms = MemoryTerms(5)
    terms.away = True
    assert (await run_for(60, terms))["term_failures"] >= 10
    terms.away = False
    assert await run_for(term_counter.EVERY_S + 1, terms) == {"term_changes": 5}


async def test_refused_content_does_not_end_the_actor(autojump_clock, monkeypatch):
    """It counts as a failure and is retried."""

    async def refuse():
        raise PoisonedBatchError("PostgreSQL refused the content")

    terms = MemoryTerms(5)
    monkeypatch.setattr(terms, "apply_changes", refuse)
    assert (await run_for(60, terms))["term_failures"] >= 10


async def test_a_bug_ends_the_actor(autojump_clock):
    """An unexpected exception is not swallowed."""
    with pytest.raises(TypeError):
        await run_for(60, MemoryTerms(None))
