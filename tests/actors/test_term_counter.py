"""The term counter: what changed is added up soon, a backlog quickly, whatever the database does meanwhile."""

import pytest
import trio

from newsintel.actors import term_counter
from newsintel.errors import PoisonedBatchError
from tests.fakes.basics import Counts
from tests.fakes.likeness import MemoryTerms


async def run_for(time_s, terms):
    """Run the actor for a time; returns its counts. It must end promptly."""
    counts = Counts()
    with trio.move_on_after(time_s) as scope:
        await term_counter.run(terms=terms, count=counts)
    assert scope.cancelled_caught
    return counts


async def test_changes_are_added_up_within_seconds(autojump_clock):
    """And counted."""
    terms = MemoryTerms(7)
    assert await run_for(term_counter.EVERY_S + 1, terms) == {"term_changes": 7}
    assert terms.waiting == 0


async def test_a_backlog_goes_batch_after_batch(autojump_clock):
    """A thousand batches do not wait for a thousand pauses."""
    terms = MemoryTerms(10_000)
    await run_for(term_counter.EVERY_S + 1_000 * term_counter.BUSY_S + 1, terms)
    assert terms.waiting == 0


async def test_failure_is_counted_and_made_up_for(autojump_clock):
    """With the database away nothing ends; once it is back the changes are added up."""
    terms = MemoryTerms(5)
    terms.away = True
    assert (await run_for(60, terms))["term_failures"] >= 10
    terms.away = False
    assert await run_for(term_counter.EVERY_S + 1, terms) == {"term_changes": 5}


async def test_content_that_is_refused_ends_nothing(autojump_clock, monkeypatch):
    """It is counted as a failure, and tried again."""

    async def refuse():
        raise PoisonedBatchError("PostgreSQL refused the content")

    terms = MemoryTerms(5)
    monkeypatch.setattr(terms, "add_up", refuse)
    assert (await run_for(60, terms))["term_failures"] >= 10


async def test_bug_ends_the_actor(autojump_clock):
    """An exception that nobody foresaw leaves it."""
    with pytest.raises(TypeError):
        await run_for(60, MemoryTerms(None))
