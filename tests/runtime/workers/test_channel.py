"""The channel between the supervisor and a worker, over real sockets."""

import socket
from functools import partial

import trio
import trio.testing

from newsintel.runtime.workers.channel import SEND_S, Channel, Kind
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
    """Its reply comes later and belongs to nobody."""
    (ours, theirs), _ = connect()
    may_answer = trio.Event()

    async def read_slowly():
        await may_answer.wait()
        return b"late"

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(ours.run, **reading()))
            nursery.start_soon(
                partial(theirs.run, on_notice=lambda: None, read_metrics=read_slowly)
            )
            with trio.move_on_after(0):
                await ours.ask_metrics()
            may_answer.set()
            assert await ours.ask_metrics() == b"late"
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
    """A frame that cannot be sent in time ends all sending: the next one would come in its middle.

    A cancel does not cut a frame.
    """
    (ours, _), (near, far) = connect()
    async with near, far:
        began = trio.current_time()
        with trio.move_on_after(1) as impatient:
            await ours._send(Kind.REPLY, 1, bytes(64 * 2**20))
        assert not impatient.cancelled_caught
        assert trio.current_time() - began == SEND_S
        await ours.notify(Kind.DRAIN)
        received = 0
        with trio.move_on_after(1):
            while piece := await far.receive_some(2**20):
                received += len(piece)
    assert received < 64 * 2**20
