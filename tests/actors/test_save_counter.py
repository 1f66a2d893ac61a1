"""The save counter: within a minute, searches know how many people saved each article.

Numbers below the floor stay unknown.
"""

import pytest
import trio

from newsintel.actors import save_counter
from newsintel.domain.search.popularity import SaveCounter
from tests.fakes.basics import Counts
from tests.fakes.likeness import MemorySaveCounts


async def run_for(time_s, counts, saves):
    """Run the actor until it is cancelled after a time, and return its counts."""
    told = Counts()
    with trio.move_on_after(time_s) as scope:
        await save_counter.run(counts=counts, saves=saves, floor=3, count=told)
    assert scope.cancelled_caught
    return told


async def test_it_reads_the_counts_at_the_start_and_every_minute(autojump_clock):
    """So a new process knows them at once. It never reads numbers below the floor."""
    counts, saves = MemorySaveCounts(a=3, b=2), SaveCounter()
    await run_for(1, counts, saves)
    assert saves.select("abc") == {"a": 3}
    counts.people = {"b": 4}
    await run_for(save_counter.EVERY_S + 1, counts, saves)
    assert saves.select("abc") == {"b": 4}


async def test_while_the_database_is_away_the_last_counts_stay(autojump_clock):
    """The failures are counted."""
    counts, saves = MemorySaveCounts(a=3), SaveCounter()
    saves.replace({"a": 9})
    counts.away = True
    assert (await run_for(10 * save_counter.EVERY_S, counts, saves))["save_count_failures"] >= 10
    assert saves.select("a") == {"a": 9}


async def test_a_bug_ends_the_actor(autojump_clock):
    """An unexpected exception is not swallowed."""
    counts = MemorySaveCounts()
    counts.people = None
    with pytest.raises(AttributeError):
        await run_for(60, counts, SaveCounter())
