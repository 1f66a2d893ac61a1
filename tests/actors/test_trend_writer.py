"""The trend writer: lists are made anew while the service runs, days are closed once, and trouble is outlived."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import trio

from newsintel.actors import trend_writer
from newsintel.domain.intelligence.search_counts import Observed, Span
from newsintel.errors import PoisonedBatchError
from tests.fakes.basics import Clock, Counts
from tests.fakes.searches import MemorySearchMarks, MemoryTrending
from tests.make import NOON

ROUND_S = trend_writer.EVERY_S


@asynccontextmanager
async def running(marks, trending, counts):
    """The actor at work."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: trend_writer.run(marks=marks, trending=trending, floor=3, count=counts, now=Clock()),
        )
        yield
        nursery.cancel_scope.cancel()


async def test_lists_are_made_again_and_again(autojump_clock):
    """Each window's, from the first seconds on, with the floor; ranked, and cut to what is worth keeping."""
    trending, counts = MemoryTrending(), Counts()
    trending.observed = {Span.DAY: [Observed(f"query {number}", number, 1.0) for number in range(300)]}
    async with running(MemorySearchMarks(), trending, counts):
        await trio.sleep(trend_writer.FIRST_S)
        assert trending.refreshed == [(span, 3) for span in Span]
        await trio.sleep(10 * ROUND_S)
    assert 10 <= counts["trend_refreshes 24h"] <= 21
    found = trending.lists[Span.DAY]
    assert (len(found), found[0].query) == (trend_writer.KEPT, "query 299")


async def test_a_day_is_closed_when_it_is_over(autojump_clock):
    """At start, for what nobody closed meanwhile, then once for each new day."""
    marks = MemorySearchMarks()
    async with running(marks, MemoryTrending(), Counts()):
        await trio.sleep(timedelta(days=2).total_seconds())
    assert marks.closed == [(NOON.date() + timedelta(days=day), 3) for day in range(3)]


async def test_postgresql_away_is_counted_and_outlived(autojump_clock):
    """What could not be done is done when it is back."""
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


async def test_a_list_that_postgresql_refuses_is_outlived(autojump_clock):
    """As when the machine's clock says a year that its tables do not take."""
    trending, counts = MemoryTrending(), Counts()

    async def refuse(*_):
        raise PoisonedBatchError("PostgreSQL refused the content")

    trending.refresh = refuse
    async with running(MemorySearchMarks(), trending, counts):
        await trio.sleep(3 * ROUND_S)
    assert 2 <= counts["trend_failures"] <= 7


async def test_counting_that_takes_long_is_a_small_part(autojump_clock, monkeypatch):
    """A round of two seconds is followed by a pause of at least twenty."""
    trending = MemoryTrending()

    async def slowly(*_):
        await trio.sleep(1)
        trending.refreshed.append(trio.current_time())
        return True

    monkeypatch.setattr(trending, "refresh", slowly)
    async with running(MemorySearchMarks(), trending, Counts()):
        await trio.sleep(600)
    spent = len(trending.refreshed)
    assert 600 * 0.04 < spent <= 600 / (1 + trend_writer.SHARE / 2)


@pytest.mark.parametrize("step", range(8))
async def test_cancelled_at_every_step(autojump_clock, step):
    """It ends at once."""
    async with running(MemorySearchMarks(), MemoryTrending(), Counts()):
        await trio.sleep(trend_writer.FIRST_S)
        for _ in range(step):
            await trio.lowlevel.checkpoint()
