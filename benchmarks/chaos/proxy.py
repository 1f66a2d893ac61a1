"""A TCP port in front of a server, with the faults of a network."""

import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum
from functools import partial

import trio
from attrs import define, field, frozen

SLOW_S = 0.05
"""How long a slow network holds each piece of data."""
FLAP_S = 1.0
"""How long a flapping network works and how long it does not, in turns."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER without waiting: closing the socket sends RST instead of FIN (socket(7))."""

CLOSED = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)


class Mode(Enum):
    """What the network does."""

    WORK = "works"
    REFUSE = "refused"
    SWALLOW = "black hole"
    SLOW = "slow"
    RESET = "reset"
    FLAP = "flapping"


@frozen
class _Task:
    """A task that can be stopped."""

    _scope: trio.CancelScope = field(factory=trio.CancelScope)
    _ended: trio.Event = field(factory=trio.Event)

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work until it is stopped."""
        with self._scope:
            await work()
        self._ended.set()

    async def stop(self) -> None:
        """Stop the work, and wait until it has ended."""
        self._scope.cancel()
        await self._ended.wait()


@define(eq=False)
class Proxy:
    """A port of 127.0.0.1 that forwards to a unix socket.

    Attributes:
        target: the path of the server's socket.
        port: where clients connect.
        mode: change it with `set_mode`.
    """

    target: str
    port: int = 0
    mode: Mode = Mode.WORK
    _nursery: trio.Nursery | None = None
    _listening: _Task | None = None
    _flapping: _Task | None = None
    _connections: dict[trio.CancelScope, trio.SocketStream] = field(factory=dict)
    _passes: trio.Event = field(factory=trio.Event)

    def __attrs_post_init__(self) -> None:
        self._passes.set()

    async def set_mode(self, mode: Mode) -> None:
        """Change the fault; WORK ends it. Connections of a black hole stay and go on after it."""
        if self._flapping is not None:
            await self._flapping.stop()
            self._flapping = None
        self.mode = mode
        if mode is Mode.SWALLOW:
            self._passes = trio.Event()
        else:
            self._passes.set()
        if mode in {Mode.REFUSE, Mode.RESET, Mode.FLAP}:
            self._drop_connections()
        if mode is Mode.REFUSE:
            await self._close_port()
        elif self._listening is None:
            await self._open_port()
        if mode is Mode.FLAP and self._nursery is not None:
            self._flapping = _Task()
            self._nursery.start_soon(self._flapping.run, self._flap)

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        """Forward until cancelled."""
        async with trio.open_nursery() as self._nursery:
            await self._open_port()
            task_status.started()
            await trio.sleep_forever()

    async def _open_port(self) -> None:
        (listener,) = await trio.open_tcp_listeners(self.port, host="127.0.0.1")
        self.port = listener.socket.getsockname()[1]
        if self._nursery is not None:
            self._listening = _Task()
            self._nursery.start_soon(self._listening.run, partial(self._listen, listener))

    async def _listen(self, listener: trio.SocketListener) -> None:
        await trio.serve_listeners(self._forward, [listener], handler_nursery=self._nursery)

    async def _close_port(self) -> None:
        if self._listening is not None:
            listening, self._listening = self._listening, None
            await listening.stop()

    def _drop_connections(self) -> None:
        for scope, client in self._connections.items():
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            scope.cancel()

    async def _flap(self) -> None:
        while True:
            await self._close_port()
            self._drop_connections()
            await trio.sleep(FLAP_S)
            await self._open_port()
            await trio.sleep(FLAP_S)

    async def _forward(self, client: trio.SocketStream) -> None:
        with trio.CancelScope() as scope:
            self._connections[scope] = client
            try:
                await self._exchange(client)
            except CLOSED:
                pass
            finally:
                del self._connections[scope]
                await trio.aclose_forcefully(client)

    async def _exchange(self, client: trio.SocketStream) -> None:
        if self.mode is Mode.RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            return
        await self._passes.wait()
        async with await trio.open_unix_socket(self.target) as far, trio.open_nursery() as both:
            both.start_soon(self._copy, client, far, both.cancel_scope)
            both.start_soon(self._copy, far, client, both.cancel_scope)

    async def _copy(
        self, source: trio.SocketStream, to: trio.SocketStream, both: trio.CancelScope
    ) -> None:
        try:
            async for some in source:
                await self._passes.wait()
                if self.mode is Mode.SLOW:
                    await trio.sleep(SLOW_S)
                await to.send_all(some)
        except CLOSED:
            pass
        both.cancel()


@asynccontextmanager
async def open_proxy(target: str) -> AsyncIterator[Proxy]:
    """Run a proxy during the block."""
    proxy = Proxy(target)
    async with trio.open_nursery() as nursery:
        await nursery.start(proxy.run)
        yield proxy
        nursery.cancel_scope.cancel()
