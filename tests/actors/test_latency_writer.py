"""The latency writer stores the counts every few seconds, and at the end."""

import pytest
import trio

from newsintel.actors import latency_writer
from newsintel.domain.operations.latencies import Latency, Tally
from newsintel.domain.search.outcome import Status
from tests.fakes.basics import Clock, Counts, MemoryLatencies
from tests.make import NOON

STEP = Latency("guardian", Status.OK, 320)


class Rig:
    """A tally, a store and the actor between them."""

    def __init__(self):
        self.tally, self.store, self.counts = Tally(), MemoryLatencies(), Counts()

    def note(self, times=1):
        """Note fetches with the same latency."""
        for _ in range(times):
            self.tally.add(STEP.source, STEP.status, STEP.ms)

    async def run_for(self, time_s):
        """Run the actor for a time, and check that it ends promptly."""
        began = trio.current_time()
        with trio.move_on_after(time_s):
            await latency_writer.run(
                tally=self.tally, store=self.store, count=self.counts, now=Clock()
            )
        assert trio.current_time() - began <= time_s + latency_writer.LAST_S


async def test_counts_are_written_while_it_runs(autojump_clock):
    """Within ten seconds, under the current day. Later counts are added."""
    rig = Rig()
    rig.note(2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run_for, 60)
        await trio.sleep(latency_writer.EVERY_S + 0.1)
        assert rig.store.kept == {NOON.date(): {STEP: 2}}
        rig.note()
        await trio.sleep(latency_writer.EVERY_S + 0.1)
        assert rig.store.kept == {NOON.date(): {STEP: 3}}
    assert not rig.counts


async def test_the_last_counts_are_written_on_cancellation(autojump_clock):
    """Counts since the last write are not lost. Without new counts nothing is written."""
    rig = Rig()
    rig.note()
    await rig.run_for(1)
    assert rig.store.kept == {NOON.date(): {STEP: 1}}
    rig.store.away = True
    await rig.run_for(1)
    assert not rig.counts


async def test_while_redis_is_away_only_the_counts_are_lost(autojump_clock):
    """They are counted as lost and not retried. Later counts are written."""
    rig = Rig()
    rig.store.away = True
    rig.note(3)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run_for, 60)
        await trio.sleep(latency_writer.EVERY_S + 0.1)
        assert rig.counts == {"lost_latencies": 3}
        rig.store.away = False
        rig.note()
    assert rig.store.kept == {NOON.date(): {STEP: 1}}


async def test_a_store_that_hangs_does_not_delay_the_end(autojump_clock):
    """The last write has a timeout of its own."""
    rig = Rig()
    rig.note()

    async def hang(*_):
        await trio.sleep_forever()

    rig.store.add = hang
    await rig.run_for(1)


async def test_a_bug_ends_the_actor(autojump_clock):
    """An unexpected exception is not swallowed."""
    rig = Rig()
    rig.note()
    rig.store.kept = None
    with pytest.raises(AttributeError):
        await rig.run_for(20)
