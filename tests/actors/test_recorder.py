"""The recorder: history after the response, lossy and counted."""

import pytest
import trio

from newsintel.actors import recorder
from newsintel.model import REPEAT_S
from tests.fakes import Clock, Counts, MemoryHistory
from tests.make import search_record
from tests.personal_fakes import MemoryRepeats


def record(number=0, **changes):
    """One answered search."""
    return search_record(query=f"query {number}", results_count=number, **changes)


async def run_all(history, counts, records, repeats=None):
    """Run the actor over some records to its end."""
    send, inbox = trio.open_memory_channel(1000)
    with send:
        for each in records:
            send.send_nowait(each)
    await recorder.run(inbox, history=history, repeats=repeats or MemoryRepeats(), count=counts, now=Clock())


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
        nursery.start_soon(lambda: recorder.run(inbox, history=history, repeats=MemoryRepeats(), count=Counts(), now=Clock()))
        await send.send(record())
        await trio.sleep(recorder.BATCH_S + 0.01)
        assert history.kept == [record()]
        send.close()


async def test_history_away_is_counted_and_done_without(autojump_clock):
    """Searches that cannot be recorded are counted; the actor goes on."""
    history, counts = MemoryHistory(), Counts()
    history.away = True
    await run_all(history, counts, [record(1), record(2)])
    assert counts == {"refusals history": 2}


async def test_what_another_process_recorded_is_left_out(autojump_clock):
    """Within the window, whichever process answered; another query, or the same after the window, is recorded."""
    history, counts, repeats = MemoryHistory(), Counts(), MemoryRepeats()
    await run_all(history, counts, [record(1)], repeats)
    await run_all(history, counts, [record(1, user_id=7), record(2)], repeats)
    assert [search.query for search in history.kept] == ["query 1", "query 2"]
    assert counts == {"recorded_searches": 2}
    await trio.sleep(REPEAT_S)
    await run_all(history, counts, [record(1)], repeats)
    assert len(history.kept) == 3


async def test_the_window_counts_from_the_answer(autojump_clock):
    """Not from when the recorder came to it: a search that waited for half a minute shadows only the other half."""
    repeats, clock = MemoryRepeats(), Clock()
    waited = record(searched_at=clock())
    await trio.sleep(REPEAT_S / 2)
    send, inbox = trio.open_memory_channel(1)
    with send:
        send.send_nowait(waited)
    await recorder.run(inbox, history=MemoryHistory(), repeats=repeats, count=Counts(), now=clock)
    assert repeats.kept[waited.repeat_key] - trio.current_time() == pytest.approx(REPEAT_S / 2)


async def test_with_redis_away_every_search_is_recorded(autojump_clock):
    """Twice is better than not at all; that it could not be told is counted."""
    history, counts, repeats = MemoryHistory(), Counts(), MemoryRepeats()
    repeats.away = True
    await run_all(history, counts, [record(1), record(1)], repeats)
    assert len(history.kept) == 2
    assert counts == {"recorded_searches": 2, "cache_errors repeats": 1}


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
        nursery.start_soon(lambda: recorder.run(inbox, history=MemoryHistory(), repeats=MemoryRepeats(), count=Counts(), now=Clock()))
        for _ in range(step + 1):
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    with pytest.raises(trio.BrokenResourceError):
        send.send_nowait(record())
