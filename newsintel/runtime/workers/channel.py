"""What the supervisor and a worker say to each other, over one pair of connected sockets.

The kernel closes a process's end when the process ends, however it ends. So each side knows at once
that the other is gone, also after SIGKILL.

A frame is a kind, a number and a body. Each side may ask for metrics at any time; the reply has the
number of its request. The other kinds are notices without a reply and without a body.
"""

import struct
from collections.abc import Awaitable, Callable
from enum import IntEnum
from itertools import count

import trio
from attrs import define, field

HEAD = struct.Struct("!BII")
"""A frame's kind, number and the length of its body in bytes."""

SEND_S = 5.0
"""Time limit for sending a frame. The other side always reads, unless it is stuck or stopped."""

READ_BYTES = 65_536


class Kind(IntEnum):
    """The kinds of frames.

    Attributes:
        SERVING: from a worker: it accepts connections.
        DRAIN: to a worker: end in order.
        METRICS: asks a worker for its metrics, or the supervisor for those of all workers.
        REPLY: the metrics.
    """

    SERVING = 1
    DRAIN = 2
    METRICS = 3
    REPLY = 4


@define(eq=False)
class _Request:
    """A request that waits for its reply; without a body, the other side is gone."""

    answered: trio.Event = field(factory=trio.Event)
    body: bytes | None = None


class Channel:
    """One end.

    Owns: the stream, which `run` closes.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._sending = trio.Lock()
        self._numbers = count()
        self._requests: dict[int, _Request] = {}
        self._closed = False

    async def run(
        self,
        *,
        on_notice: Callable[[], None],
        read_metrics: Callable[[], Awaitable[bytes]],
    ) -> None:
        """Read frames until the other side closes its end.

        The other side bounds the requests that run at once: it has only a few callers.

        Args:
            on_notice: called after each notice; a side gets only one kind of them.
            read_metrics: answers the requests of the other side.
        """
        try:
            async with self._stream, trio.open_nursery() as nursery:
                while (frame := await self._receive()) is not None:
                    kind, number, body = frame
                    if kind is Kind.METRICS:
                        nursery.start_soon(self._reply, number, read_metrics)
                    elif kind is Kind.REPLY:
                        self._resolve(number, body)
                    else:
                        on_notice()
                nursery.cancel_scope.cancel()
        finally:
            self._closed = True
            for number in tuple(self._requests):
                self._resolve(number, None)

    async def notify(self, kind: Kind) -> None:
        """Send a notice; without effect if the other side is gone."""
        await self._send(kind, 0)

    async def ask_metrics(self) -> bytes | None:
        """Return the metrics of the other side; None if it is gone."""
        if self._closed:
            return None
        number, request = next(self._numbers), _Request()
        self._requests[number] = request
        try:
            await self._send(Kind.METRICS, number)
            await request.answered.wait()
            return request.body
        finally:
            self._requests.pop(number, None)

    async def _reply(self, number: int, read_metrics: Callable[[], Awaitable[bytes]]) -> None:
        await self._send(Kind.REPLY, number, await read_metrics())

    def _resolve(self, number: int, body: bytes | None) -> None:
        """End a request. One whose caller has left is unknown."""
        if (request := self._requests.pop(number, None)) is not None:
            request.body = body
            request.answered.set()

    async def _send(self, kind: Kind, number: int, body: bytes = b"") -> None:
        """Send a frame. A shield keeps it whole; if it takes too long, nothing more is sent."""
        async with self._sending:
            if self._closed:
                return
            sent = False
            with trio.move_on_after(SEND_S, shield=True):
                try:
                    await self._stream.send_all(HEAD.pack(kind, number, len(body)) + body)
                    sent = True
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    pass
            self._closed = not sent

    async def _receive(self) -> tuple[Kind, int, bytes] | None:
        """Return the next frame; None if the other side is gone."""
        head = await self._receive_exactly(HEAD.size)
        if head is None:
            return None
        kind, number, length = HEAD.unpack(head)
        body = await self._receive_exactly(length)
        return None if body is None else (Kind(kind), number, body)

    async def _receive_exactly(self, length: int) -> bytes | None:
        received = bytearray()
        while len(received) < length:
            try:
                piece = await self._stream.receive_some(min(READ_BYTES, length - len(received)))
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return None
            if not piece:
                return None
            received += piece
        return bytes(received)
