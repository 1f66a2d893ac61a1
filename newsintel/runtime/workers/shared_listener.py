"""A listener that several workers share, without one of them taking all connections.

A connection wakes all workers, and the first one to run takes it. Without more, that is mostly the
one that ran last: of 40 connections opened at once it got all 40.
"""

from collections.abc import Callable

import trio

YIELD_S = 0.005
"""How long a worker that has more connections than another one leaves it the next connection. On an
idle machine the other one takes it within a millisecond; one that is stuck costs this time."""

TAKE_S = 0.001
"""How long a worker waits for a connection that another worker has taken."""


class SharedListener(trio.abc.Listener[trio.SocketStream]):
    """A listener that lets other workers go first while this one is ahead.

    Args:
        listener: the shared one. Closing this object closes this process's copy.
        is_ahead: whether another worker should take the next connection.
    """

    def __init__(self, listener: trio.SocketListener, is_ahead: Callable[[], bool]) -> None:
        self._listener = listener
        self._is_ahead = is_ahead

    @property
    def socket(self) -> trio.socket.SocketType:
        """The listening socket."""
        return self._listener.socket

    async def accept(self) -> trio.SocketStream:
        """Return the next connection that no other worker takes."""
        while True:
            await trio.lowlevel.wait_readable(self.socket)
            if self._is_ahead():
                await trio.sleep(YIELD_S)
            with trio.move_on_after(TAKE_S):
                return await self._listener.accept()

    async def aclose(self) -> None:
        """Close this process's copy of the socket."""
        await self._listener.aclose()
