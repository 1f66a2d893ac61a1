"""The channel between the supervisor and a worker, over real sockets."""

import socket
from functools import partial

import trio
import trio.testing
from structlog.testing import capture_logs

from newsintel.runtime.workers.channel import HEAD, SEND_S, Channel, Kind
from tests.waiting import PATIENCE_S


def connect():
    """Return the two ends of a channel, and their streams."""
    streams = [
        trio.SocketStream(trio.socket.from_stdlib_socket(one)) for one in socket.socketpair()
    ]
    return [Channel(stream) for stream in streams], streams


def reading(body=b"", notices=None):
    """Return how an end runs that answers with `body` and adds to `notices`."""

    async def read_metrics():
        await trio.lowlevel.checkpoint()
        return body

    noted = notices if notices is not None else []
    return {"on_notice": lambda: noted.append(1), "read_metrics": read_metrics}


async def test_each_side_asks_the_other_at_the_same_time():
    """Replies reach the callers that asked, also long ones; notices have no reply."""
    (ours, theirs), _ = connect()
    noted, long = [], bytes(range(256)) * 8192
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(ours.run, **reading(b"whole", noted)))
            nursery.start_soon(partial(theirs.run, **reading(long)))
            found = {}

            async def ask(name, channel):
                found[name] = await channel.ask_metrics()

            async with trio.open_nursery() as asking:
                for turn in range(5):
                    asking.start_soon(ask, ("own", turn), ours)
                    asking.start_soon(ask, ("all", turn), theirs)
                asking.start_soon(theirs.notify, Kind.SERVING)
            assert found == {("own", turn): long for turn in range(5)} | {
                ("all", turn): b"whole" for turn in range(5)
            }
            assert noted == [1]
            nursery.cancel_scope.cancel()


async def test_a_caller_that_leaves_disturbs_no_other():
    """Nothing is asked twice meanwhile: the next caller gets the reply that is still to come."""
    (ours, theirs), _ = connect()
    may_answer, asked, found = trio.Event(), [], []

    async def ask():
        found.append(await ours.ask_metrics())

    async def read_slowly():
        asked.append(1)
        await may_answer.wait()
        return b"late"

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(ours.run, **reading()))
            nursery.start_soon(
                partial(theirs.run, on_notice=lambda: None, read_metrics=read_slowly)
            )
            for _ in range(3):
                async with trio.open_nursery() as leaving:
                    leaving.start_soon(ours.ask_metrics)
                    await trio.testing.wait_all_tasks_blocked()
                    leaving.cancel_scope.cancel()
            async with trio.open_nursery() as staying:
                staying.start_soon(ask)
                await trio.testing.wait_all_tasks_blocked()
                may_answer.set()
            assert (found, len(asked)) == ([b"late"], 1)
            await ask()
            assert (found, len(asked)) == ([b"late"] * 2, 2)
            nursery.cancel_scope.cancel()


async def test_the_end_of_a_side_ends_the_other_and_its_requests():
    """A request that waits gets None, and so does every later one; notices have no effect."""
    (ours, _), (_, stream) = connect()
    found = []

    async def ask():
        found.append(await ours.ask_metrics())

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            await stream.aclose()
            await ours.run(**reading())
        assert await ours.ask_metrics() is None
        await ours.notify(Kind.DRAIN)
    assert found == [None]


async def test_a_side_that_reads_nothing_is_left_behind(autojump_clock):
    """A frame that cannot be sent in time ends the channel for both sides, and whoever waits.

    The next frame would come in the middle of that one.
    """
    (ours, _), (_, far) = connect()
    found = []

    async def ask():
        found.append(await ours.ask_metrics())

    with capture_logs() as logs:
        async with far, trio.open_nursery() as nursery:
            nursery.start_soon(partial(ours.run, **reading(bytes(64 * 2**20))))
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            began = trio.current_time()
            await far.send_all(HEAD.pack(Kind.METRICS, 0))
            await trio.testing.wait_all_tasks_blocked()
            with trio.move_on_after(1) as impatient:
                await ours.notify(Kind.DRAIN)
            assert impatient.cancelled_caught
            await ours.notify(Kind.DRAIN)
            assert trio.current_time() - began == SEND_S
            received = 0
            while piece := await far.receive_some(2**20):
                received += len(piece)
    assert received < 64 * 2**20
    assert found == [None]
    assert [(line["event"], line["frame"]) for line in logs] == [("channel_cut", "REPLY")]


async def test_a_cancel_does_not_cut_a_frame(autojump_clock):
    """It waits until the frame is sent, or until its time is over."""
    (ours, _), (_, far) = connect()
    async with far, trio.open_nursery() as nursery:
        nursery.start_soon(partial(ours.run, **reading(bytes(64 * 2**20))))
        await far.send_all(HEAD.pack(Kind.METRICS, 0))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        began = trio.current_time()
    assert trio.current_time() - began == SEND_S
