"""The janitor deletes old searches every hour. // A database that fails does not end it."""

from datetime import timedelta

import pytest
import trio
from structlog.testing import capture_logs

from newsintel.actors import janitor
from tests.fakes.alerts import MemoryDeliveries, MemoryMatching
from tests.fakes.basics import Clock, Counts, MemoryHistory
from tests.fakes.upkeep import MemoryChecks
from tests.make import NOON, search_record

DAY = timedelta(days=1)


def aged(*days):
    """Searches from so many days before NOON."""
    return [search_record(query=f"{age} days", searched_at=NOON - age * DAY) for age in days]


async def run_for(time_s, history, articles=None, deliveries=None, **ages):
    """Run the actor until it is cancelled after a time, and return its counts."""
    counts = Counts()
    with trio.move_on_after(time_s) as scope:
        await janitor.run(
            history=history,
            keep=90 * DAY,
            articles=articles or MemoryChecks(),
            keep_articles=ages,
            matching=MemoryMatching(),
            deliveries=deliveries or MemoryDeliveries(),
            count=counts,
            now=Clock(),
        )
    assert scope.cancelled_caught
    return counts


async def test_expired_searches_are_deleted_within_a_minute_of_the_start(autojump_clock):
    """They are deleted and counted. Younger ones stay."""
    history = MemoryHistory()
    history.kept = aged(400, 91, 89, 0)
    counts = await run_for(janitor.FIRST_S, history)
    assert [search.query for search in history.kept] == ["89 days", "0 days"]
    assert counts == {"pruned_searches": 2}


async def test_articles_are_deleted_by_source(autojump_clock):
    """Only those of sources with a limit, by the time of their last fetch."""
    articles = MemoryChecks()
    articles.old = 7
    counts = await run_for(janitor.FIRST_S, MemoryHistory(), articles, guardian=DAY, gdelt=3 * DAY)
    assert [source for source, _ in articles.pruned] == ["guardian", "gdelt"]
    (_, day_ago), (_, three_days_ago) = articles.pruned
    assert day_ago - three_days_ago == pytest.approx(2 * DAY, abs=timedelta(minutes=1))
    assert counts["pruned_articles guardian"] == 7


async def test_it_deletes_every_hour(autojump_clock):
    """A search that expires meanwhile is deleted at most an hour later."""
    history = MemoryHistory()
    history.kept = aged(89, 88)
    await run_for(DAY.total_seconds() + janitor.EVERY_S, history)
    assert [search.query for search in history.kept] == ["88 days"]


async def test_what_a_wrong_clock_has_put_off_is_logged(autojump_clock):
    """The operator sees that a clock was wrong."""
    deliveries = MemoryDeliveries(put_off=2)
    with capture_logs() as logs:
        await run_for(3 * janitor.EVERY_S, MemoryHistory(), deliveries=deliveries)
    assert [(line["event"], line["deliveries"]) for line in logs] == [("deliveries_put_off", 2)]


async def test_a_failure_is_counted_and_the_next_run_deletes(autojump_clock):
    """The actor runs on while the database is away for hours.

    When it is back, the old searches are deleted.
    """
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


async def test_a_bug_ends_the_actor(autojump_clock):
    """An unexpected exception is not swallowed."""
    history = MemoryHistory()
    history.kept = None
    with pytest.raises(TypeError):
        await run_for(janitor.FIRST_S, history)
