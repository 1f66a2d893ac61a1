"""What the supervisor and a worker say to each other, over one pair of connected sockets.

The kernel closes a process's end when the process ends, however it ends. So each side knows at once
that the other is gone, also after SIGKILL.

A frame is a kind and a body. Each side may ask for metrics, and asks again only after the reply: a
side that was stopped for long finds one request, so the socket had room for a notice. The other
kinds are notices without a reply and without a body.
"""

import struct
from collections.abc import Awaitable, Callable
from enum import IntEnum

import trio
from attrs import define, field

from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

HEAD = struct.Struct("!BI")
"""A frame's kind and the length of its body in bytes."""

SEND_S = 5.0
"""Time limit for sending a frame. The other side always reads, unless it is stuck or stopped. Only
long metrics can find no room then."""

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

    Owns: the stream. `run` closes it at its end, and a frame that cannot be sent closes it at once:
    the next frame would come in the middle of that one. Then both sides know that they are apart.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._sending = trio.Lock()
        self._asked: _Request | None = None
        self._closed = False

    async def run(
        self,
        *,
        on_notice: Callable[[], None],
        read_metrics: Callable[[], Awaitable[bytes]],
    ) -> None:
        """Read frames until the other side closes its end.

        One request of the other side runs at a time.

        Args:
            on_notice: called after each notice; a side gets only one kind of them.
            read_metrics: answers the requests of the other side.
        """
        try:
            async with self._stream, trio.open_nursery() as nursery:
                while (frame := await self._receive()) is not None:
                    kind, body = frame
                    if kind is Kind.METRICS:
                        nursery.start_soon(self._reply, read_metrics)
                    elif kind is Kind.REPLY:
                        self._resolve(body)
                    else:
                        on_notice()
                nursery.cancel_scope.cancel()
        finally:
            self._mark_closed()

    async def notify(self, kind: Kind) -> None:
        """Send a notice; without effect if the other side is gone."""
        async with self._sending:
            await self._send(kind)

    async def ask_metrics(self) -> bytes | None:
        """Return the metrics of the other side; None if it is gone.

        While a reply is outstanding, all callers wait for that one, also if the first has left.
        """
        async with self._sending:
            if self._closed:
                return None
            if (asked := self._asked) is None:
                asked = self._asked = _Request()
                await self._send(Kind.METRICS)
        await asked.answered.wait()
        return asked.body

    async def _reply(self, read_metrics: Callable[[], Awaitable[bytes]]) -> None:
        body = await read_metrics()
        async with self._sending:
            await self._send(Kind.REPLY, body)

    def _resolve(self, body: bytes | None) -> None:
        """End the outstanding request, if there is one."""
        if self._asked is not None:
            self._asked.body = body
            self._asked.answered.set()
            self._asked = None

    def _mark_closed(self) -> None:
        self._closed = True
        self._resolve(None)

    async def _send(self, kind: Kind, body: bytes = b"") -> None:
        """Send a frame, while holding the lock. A shield keeps it whole."""
        if self._closed:
            return
        sent = False
        with trio.move_on_after(SEND_S, shield=True) as sending:
            try:
                await self._stream.send_all(HEAD.pack(kind, len(body)) + body)
                sent = True
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
        if sending.cancelled_caught:
            log.warning("channel_cut", frame=kind.name, waited_s=SEND_S)
        if not sent:
            self._mark_closed()
            await trio.aclose_forcefully(self._stream)

    async def _receive(self) -> tuple[Kind, bytes] | None:
        """Return the next frame; None if the other side is gone."""
        head = await self._receive_exactly(HEAD.size)
        if head is None:
            return None
        kind, length = HEAD.unpack(head)
        body = await self._receive_exactly(length)
        return None if body is None else (Kind(kind), body)

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
