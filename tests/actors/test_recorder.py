"""The recorder: history after the response, lossy and counted."""

import pytest
import trio

from newsintel.actors import recorder
from newsintel.model import SearchRecord
from tests.fakes import Counts, MemoryHistory
from tests.make import NOON


def record(number=0):
    """One answered search."""
    return SearchRecord(f"query {number}", "k", number, NOON)


async def run_all(history, counts, records):
    """Run the actor over some records to its end."""
    send, inbox = trio.open_memory_channel(1000)
    with send:
        for each in records:
            send.send_nowait(each)
    await recorder.run(inbox, history=history, count=counts)


async def test_records_in_batches(autojump_clock):
    """Every search is recorded, in order, however many come at once."""
    history, counts = MemoryHistory(), Counts()
    records = [record(number) for number in range(250)]
    await run_all(history, counts, records)
    assert history.kept == records
    assert counts == {"recorded_searches": 250}


async def test_batch_is_written_when_its_time_is_up(autojump_clock):
    """A lone search is recorded a second after it came, with the channel still open."""
    history = MemoryHistory()
    send, inbox = trio.open_memory_channel(10)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: recorder.run(inbox, history=history, count=Counts()))
        await send.send(record())
        await trio.sleep(recorder.BATCH_S + 0.01)
        assert history.kept == [record()]
        send.close()


async def test_history_away_is_counted_and_done_without(autojump_clock):
    """Searches that cannot be recorded are counted; the actor goes on."""
    history, counts = MemoryHistory(), Counts()
    history.away = True
    await run_all(history, counts, [record(), record()])
    assert counts == {"refusals history": 2}


async def test_bug_ends_the_actor(autojump_clock, monkeypatch):
    """An exception that nobody foresaw leaves the actor."""
    history = MemoryHistory()
    monkeypatch.setattr(history, "kept", None)
    with pytest.raises(TypeError):
        await run_all(history, Counts(), [record()])


@pytest.mark.parametrize("step", range(6))
async def test_cancelled_at_every_step(autojump_clock, step):
    """Cancelled at any checkpoint, it closes its inbox."""
    send, inbox = trio.open_memory_channel(8)
    send.send_nowait(record())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: recorder.run(inbox, history=MemoryHistory(), count=Counts()))
        for _ in range(step + 1):
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    with pytest.raises(trio.BrokenResourceError):
        send.send_nowait(record())
