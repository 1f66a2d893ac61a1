"""A listener that accepts several connections in one turn, and shares a crowd with other workers.

trio's own accepts one connection in each turn of the loop, and in each turn all that are connected
already may be answered, so those who come last wait long.

A connection wakes all workers, and the first one to run takes it. Without more, that is mostly the
one that ran last: of 40 connections opened at once it got all 40.
"""

import errno
import os
import socket
from collections import deque
from collections.abc import Callable

import trio

MOST_AT_ONCE = 32
"""Connections accepted in one turn while no search runs. The first request of each takes up to a
millisecond, so a running search would wait long for its next turn."""

YIELD_S = 0.005
"""How long a worker that has more connections than another one leaves it the next connection. On an
idle machine the other one takes it within a millisecond; one that is stuck costs this time."""

LOST = frozenset(
    getattr(errno, name)
    for name in (
        *("ECONNABORTED", "EPERM", "ENETDOWN", "EPROTO", "ENOPROTOOPT", "EHOSTDOWN", "ENONET"),
        *("EHOSTUNREACH", "EOPNOTSUPP", "ENETUNREACH"),
        *("ENOSR", "ESOCKTNOSUPPORT", "EPROTONOSUPPORT", "ETIMEDOUT", "ECONNRESET"),
    )
    if hasattr(errno, name)
)
"""Errors of one connection that never came to be: the next one is accepted (accept(2), Linux)."""


class BatchListener(trio.abc.Listener[trio.SocketStream]):
    """A listener that takes what waits, in one turn, and lets other workers go first.

    Args:
        listener: what it listens with. Closing this object closes it.
        count_due: how many connections this worker should take before another one takes some; 0 =
            another worker should go first.

    Attributes:
        is_searching: whether a search runs. Then it takes one connection in each turn.
    """

    def __init__(
        self, listener: trio.SocketListener, count_due: Callable[[], int] = lambda: MOST_AT_ONCE
    ) -> None:
        self._listener = listener
        self._count_due = count_due
        self._raw = socket.socket(fileno=os.dup(listener.socket.fileno()))  # accepts without a turn
        self._raw.setblocking(False)
        self.is_searching: Callable[[], bool] = lambda: False
        self._taken: deque[socket.socket] = deque()

    @property
    def socket(self) -> trio.socket.SocketType:
        """The listening socket."""
        return self._listener.socket

    async def accept(self) -> trio.SocketStream:
        """Return the next connection that no other worker takes.

        After a wait it returns what it took, up to MOST_AT_ONCE, without another checkpoint.

        Raises:
            trio.ClosedResourceError: the listener is closed.
            OSError: the system has no room for a connection (EMFILE, ENFILE, ENOBUFS, ENOMEM).
        """
        while not self._taken:
            if self._raw.fileno() < 0:
                raise trio.ClosedResourceError("the listener is closed")
            await trio.lowlevel.wait_readable(self._raw)
            if not self._count_due():
                await trio.sleep(YIELD_S)
            self._take_waiting(max(1, self._count_due()))
        return trio.SocketStream(trio.socket.from_stdlib_socket(self._taken.popleft()))

    async def aclose(self) -> None:
        """Close this process's copy of the socket."""
        if self._raw.fileno() >= 0:
            trio.lowlevel.notify_closing(self._raw)
            self._raw.close()
        while self._taken:
            self._taken.popleft().close()
        await self._listener.aclose()

    def _take_waiting(self, most: int) -> None:
        for _ in range(1 if self.is_searching() else min(most, MOST_AT_ONCE)):
            try:
                self._taken.append(self._raw.accept()[0])
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in LOST:
                    continue
                if not self._taken:
                    raise
                return
