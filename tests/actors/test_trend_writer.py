"""The trend writer renews the lists while the service runs, and closes each day once.

A failure does not end it.
"""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import trio

from newsintel.actors import trend_writer
from newsintel.domain.intelligence.search_counts import ObservedQuery, TrendWindow
from newsintel.errors import PoisonedBatchError
from tests.fakes.basics import Clock, Counts
from tests.fakes.searches import MemorySearchMarks, MemoryTrending
from tests.make import NOON

ROUND_S = trend_writer.EVERY_S


@asynccontextmanager
async def running(marks, trending, counts):
    """The actor, running."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: trend_writer.run(
                marks=marks, trending=trending, floor=3, count=counts, now=Clock()
            ),
        )
        yield
        nursery.cancel_scope.cancel()


async def test_the_lists_are_renewed_repeatedly(autojump_clock):
    """The lists of all windows, a few seconds after the start, with the floor.

    They are ranked and cut to the number that is stored.
    """
    trending, counts = MemoryTrending(), Counts()
    trending.observed = {
        TrendWindow.DAY: [ObservedQuery(f"query {number}", number, 1.0) for number in range(300)]
    }
    async with running(MemorySearchMarks(), trending, counts):
        await trio.sleep(trend_writer.FIRST_S)
        assert trending.refreshed == [(span, 3) for span in TrendWindow]
        await trio.sleep(10 * ROUND_S)
    assert 10 <= counts["trend_refreshes 24h"] <= 21
    found = trending.lists[TrendWindow.DAY]
    assert (len(found), found[0].query) == (trend_writer.LIST_LENGTH, "query 299")


async def test_each_day_is_closed_once(autojump_clock):
    """At the start for days that no process closed, then once for each new day."""
    marks = MemorySearchMarks()
    async with running(marks, MemoryTrending(), Counts()):
        await trio.sleep(timedelta(days=2).total_seconds())
    assert marks.closed == [(NOON.date() + timedelta(days=day), 3) for day in range(3)]


async def test_while_postgresql_is_away_failures_are_counted(autojump_clock):
    """When it is back, the work is done."""
    marks, trending, counts = MemorySearchMarks(), MemoryTrending(), Counts()
    marks.away = True
    async with running(marks, trending, counts):
        await trio.sleep(3 * ROUND_S)
        assert trending.refreshed == []
        marks.away = False
        await trio.sleep(ROUND_S)
    assert len(marks.closed) == 1
    assert trending.refreshed
    assert 2 <= counts["trend_failures"] <= 7


async def test_a_refused_list_does_not_end_the_actor(autojump_clock):
    """For example, the machine's clock shows a year that PostgreSQL refuses."""
    trending, counts = MemoryTrending(), Counts()

    async def refuse(*_):
        raise PoisonedBatchError("PostgreSQL refused the content")

    trending.rebuild_list = refuse
    async with running(MemorySearchMarks(), trending, counts):
        await trio.sleep(3 * ROUND_S)
    assert 2 <= counts["trend_failures"] <= 7


async def test_slow_counting_takes_a_small_part_of_the_time(autojump_clock, monkeypatch):
    """After a round of two seconds, the actor pauses for at least twenty."""
    trending = MemoryTrending()

    async def slowly(*_):
        await trio.sleep(1)
        trending.refreshed.append(trio.current_time())
        return True

    monkeypatch.setattr(trending, "rebuild_list", slowly)
    async with running(MemorySearchMarks(), trending, Counts()):
        await trio.sleep(600)
    spent = len(trending.refreshed)
    assert 600 * 0.04 < spent <= 600 / (1 + trend_writer.PAUSE_FACTOR / 2)


@pytest.mark.parametrize("step", range(8))
async def test_cancelled_at_any_checkpoint_it_ends_at_once(autojump_clock, step):
    """At every checkpoint after the first round."""
    async with running(MemorySearchMarks(), MemoryTrending(), Counts()):
        await trio.sleep(trend_writer.FIRST_S)
        for _ in range(step):
            await trio.lowlevel.checkpoint()
