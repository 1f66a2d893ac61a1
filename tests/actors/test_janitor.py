"""The janitor: old searches go, hour by hour, whatever the database does meanwhile."""

from datetime import timedelta

import pytest
import trio

from newsintel.actors import janitor
from tests.fakes.basics import Clock, Counts, MemoryHistory
from tests.make import NOON, search_record

DAY = timedelta(days=1)


def aged(*days):
    """Searches made so many days before NOON."""
    return [search_record(query=f"{age} days", searched_at=NOON - age * DAY) for age in days]


async def run_for(time_s, history):
    """Run the actor for a time; returns its counts. It must end promptly."""
    counts = Counts()
    with trio.move_on_after(time_s) as scope:
        await janitor.run(history=history, keep=90 * DAY, count=counts, now=Clock())
    assert scope.cancelled_caught
    return counts


async def test_searches_past_their_time_go_within_a_minute_of_the_start(autojump_clock):
    """Older than it keeps: deleted and counted; younger ones stay."""
    history = MemoryHistory()
    history.kept = aged(400, 91, 89, 0)
    counts = await run_for(janitor.FIRST_S, history)
    assert [search.query for search in history.kept] == ["89 days", "0 days"]
    assert counts == {"pruned_searches": 2}


async def test_it_sweeps_every_hour(autojump_clock):
    """What grows old while it runs goes too, at the latest an hour after its time."""
    history = MemoryHistory()
    history.kept = aged(89, 88)
    await run_for(DAY.total_seconds() + janitor.EVERY_S, history)
    assert [search.query for search in history.kept] == ["88 days"]


async def test_failure_is_counted_and_the_next_sweep_makes_up_for_it(autojump_clock):
    """With the database away for hours nothing ends; once it is back the old searches go."""
    history = MemoryHistory()
    history.kept, history.away = aged(91), True

    async def come_back():
        await trio.sleep(3 * janitor.EVERY_S)
        history.away = False

    async with trio.open_nursery() as nursery:
        nursery.start_soon(come_back)
        counts = await run_for(5 * janitor.EVERY_S, history)
    assert 3 <= counts["prune_failures"] <= 6
    assert history.kept == []


async def test_bug_ends_the_actor(autojump_clock):
    """An exception that nobody foresaw leaves it."""
    history = MemoryHistory()
    history.kept = None
    with pytest.raises(TypeError):
        await run_for(janitor.FIRST_S, history)
