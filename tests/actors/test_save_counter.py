"""The save counter: searches know within a minute how many saved what, above the floor, and go on knowing it."""

import pytest
import trio

from newsintel.actors import save_counter
from newsintel.domain.search.popularity import Saves
from tests.fakes.basics import Counts
from tests.fakes.likeness import MemorySaveCounts


async def run_for(time_s, counts, saves):
    """Run the actor for a time; returns its counts. It must end promptly."""
    told = Counts()
    with trio.move_on_after(time_s) as scope:
        await save_counter.run(counts=counts, saves=saves, floor=3, count=told)
    assert scope.cancelled_caught
    return told


async def test_it_looks_at_once_and_then_every_minute(autojump_clock):
    """A process that has just begun knows what the others know; what is under the floor it never learns."""
    counts, saves = MemorySaveCounts(a=3, b=2), Saves()
    await run_for(1, counts, saves)
    assert saves.of("abc") == {"a": 3}
    counts.people = {"b": 4}
    await run_for(save_counter.EVERY_S + 1, counts, saves)
    assert saves.of("abc") == {"b": 4}


async def test_with_the_database_away_it_goes_on_with_what_it_knows(autojump_clock):
    """The failure is counted."""
    counts, saves = MemorySaveCounts(a=3), Saves()
    saves.replace({"a": 9})
    counts.away = True
    assert (await run_for(10 * save_counter.EVERY_S, counts, saves))["save_count_failures"] >= 10
    assert saves.of("a") == {"a": 9}


async def test_bug_ends_the_actor(autojump_clock):
    """An exception that nobody foresaw leaves it."""
    counts = MemorySaveCounts()
    counts.people = None
    with pytest.raises(AttributeError):
        await run_for(60, counts, Saves())
