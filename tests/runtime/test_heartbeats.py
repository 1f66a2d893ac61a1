"""The heartbeats of the actors."""

from functools import partial

import pytest
import trio

from newsintel.errors import ArchiveTimeoutError
from newsintel.runtime.backlog import Pace, process_backlog
from newsintel.runtime.halving import save_halving
from newsintel.runtime.heartbeats import SILENT_S, Heartbeats, at_work, beat
from newsintel.runtime.periodic import repeat
from tests.fakes.basics import Counts

LONG_S = SILENT_S + 1


async def wait_for_work():
    """Wait as an actor whose inbox is empty."""
    await trio.sleep_forever()


async def hang_at_work():
    """Begin a piece of work and never end it."""
    with at_work():
        await trio.sleep_forever()


async def work_in_a_child():
    """Hang in a task of its own, like the flights of the merger."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hang_at_work)
        await trio.sleep_forever()


async def work_for_long():
    """Work for long and get on."""
    with at_work():
        while True:
            await trio.sleep(SILENT_S / 2)
            beat()


async def save_slowly():
    """Save a batch of which each row takes PostgreSQL's whole time limit and is put aside."""

    async def save(_rows):
        await trio.sleep(1.5)
        raise ArchiveTimeoutError("slow")

    async def put_aside(_row, _reason):
        await trio.lowlevel.checkpoint()

    with at_work():
        await save_halving(range(200), save, put_aside, lambda _row: True)
    await trio.sleep_forever()


async def overlap():
    """Hang in one piece of work while others begin, get on and end."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hang_at_work)
        while True:
            with at_work():
                await trio.sleep(1)
                beat()


async def hang_in_a_step():
    """Hang in a step of periodic work."""
    await repeat(trio.sleep_forever, every_s=1, first_s=1)


async def hang_in_a_batch():
    """Hang in a batch of a backlog."""
    await process_backlog(
        trio.sleep_forever, Pace(1, 1), Counts(), done="drained_rows", failed="archive_retries"
    )


async def end():
    """End early, without an error."""
    await trio.lowlevel.checkpoint()


@pytest.mark.parametrize(
    ("run", "silent"),
    [
        (wait_for_work, False),
        (work_for_long, False),
        (save_slowly, False),
        (hang_at_work, True),
        (work_in_a_child, True),
        (overlap, True),
        (hang_in_a_step, True),
        (hang_in_a_batch, True),
        (end, True),
    ],
)
async def test_an_actor_is_silent_if_it_ends_or_does_not_get_on(autojump_clock, run, silent):
    """Waiting for work is no silence, however long."""
    heartbeats = Heartbeats()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heartbeats.watch, "other", wait_for_work)
        nursery.start_soon(heartbeats.watch, "actor", run)
        await trio.sleep(LONG_S + 2)
        assert heartbeats.list_silent() == (["actor"] if silent else [])
        nursery.cancel_scope.cancel()


async def test_a_longer_search_deadline_is_allowed(autojump_clock):
    """The gauge shows how long it takes already; after its end the actor is well."""
    heartbeats = Heartbeats(extra_s=30)

    async def work():
        with at_work():
            await trio.sleep(SILENT_S + 31)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(heartbeats.watch, "actor", work))
        await trio.sleep(SILENT_S + 20)
        assert heartbeats.list_silent() == []
        assert heartbeats.read_silence_s() == {("actor",): SILENT_S + 20}
        await trio.sleep(10.5)
        assert heartbeats.list_silent() == ["actor"]
        await trio.sleep(1)
        assert heartbeats.list_silent() == []
        assert heartbeats.read_silence_s() == {("actor",): 0}
        nursery.cancel_scope.cancel()
