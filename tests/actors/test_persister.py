"""The persister loses no accepted article without counting it."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from newsintel.actors import persister
from newsintel.domain.bounds.room import ByteBudget
from newsintel.errors import UnavailableError
from tests.fakes.basics import Counts, MemoryArchive
from tests.make import answer, article, outcome


def landed(*names):
    """An answer with articles of these names."""
    return answer(outcome(articles=tuple(article(name) for name in names)))


def numbered(first, last):
    """An answer with articles of these numbers."""
    return landed(*(str(number) for number in range(first, last)))


class Rig:
    """A persister with its archive and its inbox."""

    def __init__(self, room=64):
        self.archive, self.counts = MemoryArchive(), Counts()
        self.send, self.inbox = trio.open_memory_channel(room)
        self.room = ByteBudget(2**20)

    async def run(self):
        """Run the actor."""
        await persister.run(self.inbox, room=self.room, archive=self.archive, count=self.counts)

    async def run_all(self, *answers):
        """Send answers, end the channel, and let the actor finish."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.run)
            with self.send:
                for each in answers:
                    assert self.room.reserve(each.size_bytes)
                    await self.send.send(each)
        assert self.room.reserved_bytes == 0


async def test_small_answers_share_a_batch(autojump_clock):
    """Answers that arrive within the batch's time are saved in one call."""
    rig = Rig()
    await rig.run_all(landed("a"), landed("b"), landed("c"))
    assert sorted(rig.archive.kept) == ["a_a", "a_b", "a_c"]
    assert rig.archive.calls[0] == 3
    assert rig.counts["archived_articles"] == 3


async def test_a_batch_is_written_when_its_time_is_up(autojump_clock):
    """A single answer is saved a quarter of a second after it arrived.

    The channel is still open.
    """
    rig = Rig()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        await rig.send.send(landed("a"))
        await trio.sleep(persister.BATCH_S + 0.01)
        assert list(rig.archive.kept) == ["a_a"]
        rig.send.close()


async def test_large_harvests_are_split_into_batches(autojump_clock):
    """No call has more than BATCH_ROWS rows, and no row is left out."""
    rig = Rig()
    await rig.run_all(numbered(0, 300), numbered(300, 600))
    assert len(rig.archive.kept) == 600
    assert max(rig.archive.calls) <= persister.BATCH_ROWS


async def test_a_poisoned_row_is_put_aside_and_the_others_are_saved(autojump_clock):
    """A refused batch is halved until the bad row is alone.

    The row is buried with the archive's reason.
    """
    rig = Rig()
    rig.archive.poisoned = {"a_7", "a_42"}
    await rig.run_all(numbered(0, 100))
    assert len(rig.archive.kept) == 98
    assert set(rig.archive.buried) == {"a_7", "a_42"}
    assert "refused" in rig.archive.buried["a_7"]
    assert rig.counts["dead_letters"] == 2
    assert rig.counts["archived_articles"] == 98


async def test_while_the_archive_is_away_a_batch_is_retried(autojump_clock):
    """The pauses grow, and nothing is lost."""
    rig = Rig()
    rig.archive.failures.extend(UnavailableError("away") for _ in range(8))
    await rig.run_all(landed("a"))
    assert list(rig.archive.kept) == ["a_a"]
    assert rig.counts["archive_retries"] == 8
    assert 5 < trio.current_time() < 60


async def test_the_inbox_fills_while_the_archive_is_away(autojump_clock):
    """The inbox holds no more than its bound. Beyond that, it refuses answers."""
    rig = Rig(room=2)
    rig.archive.away = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.run)
        await rig.send.send(landed("a"))
        await trio.sleep(1)
        rig.send.send_nowait(landed("b"))
        rig.send.send_nowait(landed("c"))
        with pytest.raises(trio.WouldBlock):
            rig.send.send_nowait(landed("d"))
        rig.archive.away = False
        rig.send.close()
    assert sorted(rig.archive.kept) == ["a_a", "a_b", "a_c"]


async def test_cancellation_counts_every_lost_article(autojump_clock):
    """The archive is away. The articles in the inbox count too."""
    rig = Rig()
    rig.archive.away = True
    with trio.move_on_after(5):
        await rig.run_all(numbered(0, 250), numbered(250, 300), landed("last"))
    assert rig.counts["lost_articles"] == 301
    assert rig.archive.kept == {}


async def test_a_bug_ends_the_actor_and_counts_what_it_held(autojump_clock):
    """An unexpected exception is not swallowed."""
    rig = Rig()
    rig.archive.failures.append(ZeroDivisionError())
    with pytest.RaisesGroup(ZeroDivisionError):
        await rig.run_all(landed("a"))
    assert rig.counts["lost_articles"] == 1
    with pytest.raises(trio.ClosedResourceError):
        await rig.inbox.receive()


@pytest.mark.parametrize("step", range(20))
async def test_cancelled_at_any_checkpoint_every_article_is_saved_or_counted(autojump_clock, step):
    """If the actor has started, no accepted article is missing from both."""
    rig = Rig()
    for name in "abc":
        rig.send.send_nowait(landed(name))
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(rig.run)
            for _ in range(step):
                await trio.lowlevel.checkpoint()
            if step > 10:
                await wait_all_tasks_blocked()
                await trio.sleep(0.25)
            scope.cancel()
    started = step > 0
    assert len(rig.archive.kept) + rig.counts["lost_articles"] >= 3 * started
    assert rig.inbox.statistics().open_receive_channels == 0 or not started
