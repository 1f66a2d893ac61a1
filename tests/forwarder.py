"""A TCP port that forwards to one server, later to another.

It acts like a database's DNS name or load balancer whose target changes.
"""

import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import trio
from attrs import define, field

CLOSED = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)
"""What a stream raises after either side has closed."""

Greet = Callable[[trio.SocketStream], Awaitable[trio.abc.Stream]]
"""Talks to a client before its bytes are forwarded; returns the stream to read them from."""


async def as_it_comes(client: trio.SocketStream) -> trio.abc.Stream:
    """Do not greet: return the client's stream."""
    return client


Send = Callable[[bytes], Awaitable[None]]
"""Sends bytes to one side."""


def _send_reset(client: trio.SocketStream) -> None:
    """Make closing the connection a reset: SO_LINGER with 0 s makes the kernel send RST."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@define(eq=False)
class Forwarder:
    """A port of 127.0.0.1.

    Open connections stay with their server; new ones go to `target`.

    Attributes:
        target: the path of a unix socket, or host and port.
        port: where clients connect.
        opened: how many connections were opened.
    """

    target: str | tuple[str, int]
    greet: Greet
    port: int = 0
    opened: int = 0
    _frozen: bool = False
    _cut: bool = False
    _swallow_new: bool = False
    _reset: bool = False
    _flapping: bool = False
    _mute: bool = False
    _released: trio.Event | None = None
    _scopes: set[trio.CancelScope] = field(factory=set)

    def freeze(self, *, swallow_new: bool = False) -> None:
        """From now on, forward nothing, as if the server had lost its power: connections stay open.

        Args:
            swallow_new: accept new connections and forward nothing; otherwise close them.
        """
        for scope in self._scopes:
            scope.cancel()
        self._frozen, self._swallow_new = True, swallow_new

    def cut(self) -> None:
        """Close every connection, from now on also each new one."""
        self._cut = True
        for scope in self._scopes:
            scope.cancel()

    def reset(self) -> None:
        """Reset every connection, from now on also each new one."""
        self._reset = True
        self.cut()

    def flap(self) -> None:
        """Reset every connection, and from now on every other new one."""
        for scope in self._scopes:
            scope.cancel()
        self._flapping = True

    def hold_replies(self) -> None:
        """Forward all that clients send, and keep the replies back until `mend`."""
        self._released = trio.Event()

    def drop_replies(self) -> None:
        """Forward all that clients send; drop the replies until `mend`."""
        self._mute = True

    def mend(self) -> None:
        """Accept and forward new connections again, and send the replies that were kept back."""
        self._cut = self._frozen = self._reset = self._flapping = self._mute = False
        if self._released is not None:
            self._released.set()
            self._released = None

    def move(self, target: str | tuple[str, int]) -> None:
        """Forward new connections to another server."""
        self.target = target
        self._frozen = False

    async def handle(self, client: trio.SocketStream) -> None:
        """Forward bytes in both directions until one side closes."""
        self.opened += 1
        async with client:
            if self._reset or (self._flapping and self.opened % 2):
                _send_reset(client)
                return
            if self._cut or (self._frozen and not self._swallow_new):
                return
            with trio.CancelScope() as scope:
                self._scopes.add(scope)
                try:
                    if not self._frozen:
                        await self._exchange(client)
                except CLOSED:
                    return
                finally:
                    self._scopes.discard(scope)
            if self._reset or self._flapping:
                _send_reset(client)
            elif not self._cut:
                await self._swallow(client)

    async def _exchange(self, client: trio.SocketStream) -> None:
        near = await self.greet(client)
        async with await self._connect() as far, trio.open_nursery() as both:
            both.start_soon(self._copy, near, far.send_all, both.cancel_scope)
            both.start_soon(self._copy, far, partial(self._reply, near), both.cancel_scope)
        await near.aclose()
        raise trio.ClosedResourceError

    async def _connect(self) -> trio.SocketStream:
        if isinstance(self.target, str):
            return await trio.open_unix_socket(self.target)
        return await trio.open_tcp_stream(*self.target)

    async def _copy(self, source: trio.abc.Stream, send: Send, both: trio.CancelScope) -> None:
        try:
            async for some in source:
                await send(some)
        except CLOSED:
            pass
        both.cancel()

    async def _reply(self, near: trio.abc.Stream, some: bytes) -> None:
        if self._released is not None:
            await self._released.wait()
        if not self._mute:
            await near.send_all(some)

    async def _swallow(self, client: trio.SocketStream) -> None:
        """Read everything and answer nothing."""
        try:
            async for _ in client:
                pass
        except CLOSED:
            return


NETWORK_FAULTS: Mapping[str, Callable[[Forwarder], None]] = {
    "refused": Forwarder.cut,
    "black hole": lambda name: name.freeze(swallow_new=True),
    "slow": Forwarder.hold_replies,
    "lost replies": Forwarder.drop_replies,
    "reset": Forwarder.reset,
    "flapping": Forwarder.flap,
}
"""How the network to a server can fail, until `mend`."""


@asynccontextmanager
async def forwarding(
    target: str | tuple[str, int], greet: Greet = as_it_comes
) -> AsyncIterator[Forwarder]:
    """Run a forwarder during the block."""
    forwarder = Forwarder(target, greet)
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        forwarder.port = listener.socket.getsockname()[1]
        await nursery.start(trio.serve_listeners, forwarder.handle, [listener])
        yield forwarder
        nursery.cancel_scope.cancel()
