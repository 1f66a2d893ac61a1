"""The real server's connections over streams in memory: no socket, no real time.

`wait_all_tasks_blocked` says when the server has done all that the bytes so far ask for. So a test
sees exactly what each part of a request causes, and that nothing more follows.
"""

from contextlib import asynccontextmanager, suppress

import trio
import trio.testing
from attrs import define, frozen

from newsintel.http.application import create_front
from newsintel.http.server.connection import ServerParts
from newsintel.http.server.connections import Connections
from newsintel.http.server.listener import _build_parts
from tests.http.wire import noting
from tests.http.world import World, settings


@frozen
class Socket:
    """The part of a stream's socket that a connection uses."""

    stream: trio.StapledStream
    peer: str

    def getpeername(self):
        """Return the client's address."""
        return self.peer, 50_000

    def getsockname(self):
        """Return our address."""
        return "127.0.0.1", 8_000

    def close(self):
        """Close both directions."""
        self.stream.send_stream.close()
        self.stream.receive_stream.close()


@define
class Client:
    """A client on one connection; `stream` is the server's end."""

    stream: trio.StapledStream
    closed: bool = False

    async def send(self, data):
        """Send bytes; return what the server answers until it has nothing more to do."""
        with suppress(trio.ClosedResourceError):
            self.stream.receive_stream.put_data(data)
        return await self.read()

    async def leave(self):
        """Close the client's sending side; return what the server sends then."""
        self.stream.receive_stream.put_eof()
        return await self.read()

    async def read(self):
        """Return what has arrived since the last call; note whether the server has closed."""
        await trio.testing.wait_all_tasks_blocked()
        found = b""
        with suppress(trio.WouldBlock):
            while part := self.stream.send_stream.get_data_nowait():
                found += part
            self.closed = True
        return found


@define
class Service:
    """A service, with what its wire path answered."""

    world: World
    connections: Connections
    parts: ServerParts
    nursery: trio.Nursery
    at_once: list[int]
    """The statuses of the answers of the wire path."""

    def connect(self, peer="192.0.2.1"):
        """Open a connection."""
        stream = trio.StapledStream(
            trio.testing.MemorySendStream(), trio.testing.MemoryReceiveStream()
        )
        stream.socket = Socket(stream, peer)
        self.nursery.start_soon(self.parts.serve_connection, stream)
        return Client(stream)

    async def shut_down(self):
        """Begin the shutdown as the listener does."""
        await self.parts.context.terminated.set()
        self.connections.drain()


@asynccontextmanager
async def serving_in_memory(world=None, *, wire=True, **environ):
    """Serve the whole application, with or without its wire path, until the block ends."""
    world = world or World()
    world.settings = settings(**environ)
    front = create_front(world.services)
    connections = Connections(world.settings, world.metrics.count, capacity=100)
    at_once = []
    wired = noting(at_once, front.wire_path) if wire else None
    async with trio.open_nursery() as nursery:
        parts = _build_parts(front.app, world.settings, world.metrics, connections, wired)
        yield Service(world, connections, parts, nursery, at_once)
        nursery.cancel_scope.cancel()
