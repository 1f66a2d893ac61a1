"""Connections are accepted until the listener fails, also after the system had no room."""

import errno
import socket

import pytest
import trio
import trio.testing

from newsintel.http.server.accepting import NO_ROOM, NO_ROOM_S, accept_connections
from newsintel.runtime.workers.batch_listener import BatchListener
from tests.waiting import PATIENCE_S


class ScriptedListener(trio.abc.Listener):
    """Fails or accepts as told, then waits."""

    def __init__(self, *script):
        self.script, self.asked_at, self.closed = list(script), [], False

    async def accept(self):
        """Return the next stream or raise the next error."""
        await trio.lowlevel.checkpoint()
        self.asked_at.append(trio.current_time())
        if not self.script:
            await trio.sleep_forever()
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    async def aclose(self):
        """Note it."""
        self.closed = True
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("number", sorted(NO_ROOM))
async def test_without_room_it_waits_and_goes_on(autojump_clock, number):
    """Clients wait in the system's queue for that time; the listener stays open."""
    served = []

    async def serve(stream):
        served.append(stream)

    listener = ScriptedListener("a", OSError(number, "full"), OSError(number, "full"), "b")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept_connections, listener, serve, nursery)
        await trio.sleep(1)
        assert served == ["a", "b"]
        assert not listener.closed
        nursery.cancel_scope.cancel()
    assert listener.closed
    began = listener.asked_at[0]
    assert [at - began for at in listener.asked_at] == pytest.approx(
        [0, 0, NO_ROOM_S, 2 * NO_ROOM_S, 2 * NO_ROOM_S]
    )


async def test_another_error_ends_the_service():
    """A listener that cannot accept at all must not look healthy."""
    listener = ScriptedListener(OSError(errno.EBADF, "closed"))
    async with trio.open_nursery() as nursery:
        with pytest.raises(OSError, match="closed"):
            await accept_connections(listener, None, nursery)
    assert listener.closed


async def test_every_connection_of_a_crowd_is_served():
    """By a real listener."""
    (found,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    names = []

    async def serve(stream):
        names.append(stream.socket.getpeername())
        stream.socket.close()

    crowd = []
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept_connections, BatchListener(found), serve, nursery)
            crowd += [socket.create_connection(found.socket.getsockname()) for _ in range(100)]
            while len(names) < len(crowd):
                await trio.testing.wait_all_tasks_blocked(0.01)
            nursery.cancel_scope.cancel()
    assert sorted(names) == sorted(client.getsockname() for client in crowd)
    for client in crowd:
        client.close()
