"""The recorder writes the history after the response. It may drop searches, and counts them."""

import pytest
import trio
from attrs import evolve

from newsintel.actors import recorder
from newsintel.config.values import Secret
from newsintel.domain.archive.spooled import load_spooled
from newsintel.domain.bounds.slices import run_all as run_all_slices
from newsintel.domain.intelligence.marks import SearchMarker
from newsintel.domain.search.history import REPEAT_S
from newsintel.errors import PoisonedBatchError
from newsintel.runtime.spool import Spool
from tests.fakes.basics import Clock, Counts, MemoryHistory, MemorySpool
from tests.fakes.personal import MemoryRepeats
from tests.fakes.searches import MemorySearchMarks
from tests.make import search_record


def record(number=0, **changes):
    """One answered search."""
    return search_record(query=f"query {number}", results_count=number, **changes)


async def run(inbox, **changes):
    """Run the actor. Ports that are not given are in memory."""
    ports = {
        "spool": Spool((MemorySpool(),), changes.get("count", Counts())),
        "history": MemoryHistory(),
        "repeats": MemoryRepeats(),
        "marking": SearchMarker([Secret("A" * 43)]),
        "marks": MemorySearchMarks(),
    }
    await recorder.run(inbox, **(ports | {"count": Counts(), "now": Clock()} | changes))


async def run_all(history, counts, records, repeats=None, **more):
    """Run the actor over some records until its inbox ends."""
    send, inbox = trio.open_memory_channel(1000)
    with send:
        for each in records:
            send.send_nowait(each)
    await run(inbox, history=history, repeats=repeats or MemoryRepeats(), count=counts, **more)


async def test_every_search_is_recorded_in_order(autojump_clock):
    """However many arrive at once."""
    history, counts = MemoryHistory(), Counts()
    records = [record(number) for number in range(250)]
    await run_all(history, counts, records)
    assert history.kept == records
    assert counts == {"recorded_searches": 250}


async def test_a_batch_is_written_when_its_time_is_up(autojump_clock):
    """A single search is recorded a second after it arrived. The channel is still open."""
    history = MemoryHistory()
    send, inbox = trio.open_memory_channel(10)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: run(inbox, history=history))
        await send.send(record())
        await trio.sleep(recorder.BATCH_S + 0.01)
        assert history.kept == [record()]
        send.close()


async def test_while_the_history_is_away_searches_are_spooled(autojump_clock):
    """The spool holds what the history stores, and nothing of the person."""
    history, counts, place = MemoryHistory(), Counts(), MemorySpool()
    history.away = True
    searches = [record(1, user_id=7), record(2, person="192.0.2.7")]
    await run_all(history, counts, searches, spool=Spool((place,), counts))
    assert counts == {"spooled_rows searches redis": 2}
    (entry,) = (run_all_slices(load_spooled(data)) for data in place.kept)
    bare = {"person": "", "repeat_key": "", "form": None, "articles": ()}
    assert list(entry.searches) == [evolve(search, **bare) for search in searches]
    assert b"192.0.2.7" not in place.kept[0]


async def test_without_a_spool_lost_searches_are_counted(autojump_clock):
    """The actor runs on."""
    history, counts, place = MemoryHistory(), Counts(), MemorySpool()
    history.away = place.away = True
    await run_all(history, counts, [record(1), record(2)], spool=Spool((place,), counts))
    assert counts == {"spool_refusals redis away": 1, "refusals history": 2}


async def test_a_repeat_within_the_window_is_not_recorded(autojump_clock):
    """Whichever process recorded the first one.

    Another query is recorded, and so is the same one after the window.
    """
    history, counts, repeats = MemoryHistory(), Counts(), MemoryRepeats()
    await run_all(history, counts, [record(1)], repeats)
    await run_all(history, counts, [record(1, user_id=7), record(2)], repeats)
    assert [search.query for search in history.kept] == ["query 1", "query 2"]
    assert counts == {"recorded_searches": 2}
    await trio.sleep(REPEAT_S)
    await run_all(history, counts, [record(1)], repeats)
    assert len(history.kept) == 3


async def test_the_window_counts_from_the_answer(autojump_clock):
    """Not from the time of recording.

    If a search waited for half of the window, it covers repeats only for the other half.
    """
    repeats, clock = MemoryRepeats(), Clock()
    waited = record(searched_at=clock())
    await trio.sleep(REPEAT_S / 2)
    send, inbox = trio.open_memory_channel(1)
    with send:
        send.send_nowait(waited)
    await run(inbox, repeats=repeats, now=clock)
    assert repeats.kept[waited.repeat_key] - trio.current_time() == pytest.approx(REPEAT_S / 2)


async def test_while_redis_is_away_every_search_is_recorded(autojump_clock):
    """A search may then be recorded twice, which is better than not at all.

    The error is counted.
    """
    history, counts, repeats = MemoryHistory(), Counts(), MemoryRepeats()
    repeats.away = True
    await run_all(history, counts, [record(1), record(1)], repeats)
    assert len(history.kept) == 2
    assert counts == {"recorded_searches": 2, "cache_errors repeats": 1}


async def test_searches_are_counted_by_marks(autojump_clock):
    """A mark shows neither the person nor the query.

    A person's second search also has the mark of the pair.
    """
    marks = MemorySearchMarks()
    records = [
        record(1, person="alice"),
        record(2, person="alice"),
        record(2, person="bob"),
        record(3, form=None),
    ]
    await run_all(MemoryHistory(), Counts(), records[:2], marks=marks)
    await run_all(MemoryHistory(), Counts(), records[2:], marks=marks)
    assert [(one.query, [other.query for other in one.beside]) for one in marks.kept] == [
        ("query 1", []),
        ("query 2", ["query 1"]),
        ("query 2", []),
    ]
    assert (
        len(
            {one.mark for one in marks.kept}
            | {other.pair_mark for one in marks.kept for other in one.beside}
        )
        == 4
    )


async def test_a_repeat_of_another_process_has_no_mark(autojump_clock):
    """The other process has marked it."""
    marks, repeats = MemorySearchMarks(), MemoryRepeats()
    for _ in range(2):
        await run_all(MemoryHistory(), Counts(), [record(1)], repeats, marks=marks)
    assert len(marks.kept) == 1


async def test_marks_and_history_fail_independently(autojump_clock):
    """A search without a mark is still recorded, and the other way round."""
    marks, history, counts = MemorySearchMarks(), MemoryHistory(), Counts()
    marks.away = True
    await run_all(history, counts, [record(1), record(2)], marks=marks)
    assert len(history.kept) == 2
    marks.away, history.away = False, True
    await run_all(history, counts, [record(3)], marks=marks)
    assert [one.query for one in marks.kept] == ["query 3"]
    assert counts == {"recorded_searches": 2, "refusals marks": 2, "spooled_rows searches redis": 1}


async def test_a_search_that_postgresql_refuses_is_the_only_one_lost(autojump_clock):
    """The others of its batch are recorded and marked, and the actor runs on."""

    def refusing(write):
        async def write_unless_refused(some):
            if any(one.query == "query 7" for one in some):
                raise PoisonedBatchError("PostgreSQL refused the content")
            await write(some)

        return write_unless_refused

    history, marks, counts = MemoryHistory(), MemorySearchMarks(), Counts()
    history.record_searches, marks.add = refusing(history.record_searches), refusing(marks.add)
    await run_all(history, counts, [record(number) for number in range(10)], marks=marks)
    others = [f"query {number}" for number in range(10) if number != 7]
    assert [one.query for one in history.kept] == [one.query for one in marks.kept] == others
    assert counts == {"recorded_searches": 9, "refusals history": 1, "refusals marks": 1}


async def test_a_bug_ends_the_actor(autojump_clock, monkeypatch):
    """An unexpected exception is not swallowed."""
    history = MemoryHistory()
    monkeypatch.setattr(history, "kept", None)
    with pytest.raises(TypeError):
        await run_all(history, Counts(), [record()])


@pytest.mark.parametrize("step", range(6))
async def test_cancelled_at_any_checkpoint_it_closes_its_inbox(autojump_clock, step):
    """So the sender learns that the actor has ended."""
    send, inbox = trio.open_memory_channel(8)
    send.send_nowait(record())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, inbox)
        for _ in range(step + 1):
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    with pytest.raises(trio.BrokenResourceError):
        send.send_nowait(record())
