"""One connection's life, from accepting to closing. What goes wrong on it ends it alone."""

import math

import trio
from attrs import frozen
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData
from hypercorn.trio.worker_context import WorkerContext

from newsintel.domain.ports import Count
from newsintel.errors import leaves
from newsintel.http.asgi import Asgi
from newsintel.http.server.connections import Connections, TooManyError
from newsintel.http.server.http1 import Http1, Phase, Requests
from newsintel.http.server.log import ServerLog
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

KEEP_ALIVE_S = 75.0
"""Above the 60 s after which an AWS balancer drops an idle connection, else it reuses one that we are closing and answers 502."""
BODY_TIMEOUT_S = 15.0
"""For a request's whole body. Longer than the 10 s after which the application answers 408, so that this stays the exception."""
SEND_TIMEOUT_S = 30.0
"""For one part of a response, at most some 100 KiB: a client that takes it more slowly is cut off."""
LINGER_S = 2.0
"""How long a client may go on sending after its last answer. Closing at once would reset the connection and could destroy the answer on
its way (RFC 9112, 9.6)."""
LINGER_READS = 32
"""Reads of what it goes on sending, 2 MiB at most."""
MAX_READ_BYTES = 65_536


@frozen
class Serving:
    """What all connections of a server share."""

    app: Asgi
    config: Config
    context: WorkerContext
    connections: Connections
    log: ServerLog
    count: Count
    head_timeout_s: float

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one connection to its end. Raises nothing but Cancelled: an error is logged with its causes and counted."""
        try:
            await Connection(self, stream).run()
        except* TooManyError:
            pass
        except* OSError as lost:
            log.debug("connection_lost", cause=repr(leaves(lost)[0]))
        except* Exception as failure:  # noqa: BLE001  # it is logged and counted; one connection's error must not end the others
            self.count("connection_errors")
            self.log.connection_failed(failure)


class Connection:
    """Reads from a client, gives what it reads to the protocol, and holds the timers. Its requests run in its own nursery."""

    def __init__(self, serving: Serving, stream: trio.SocketStream) -> None:
        self._serving = serving
        self._stream = stream
        self._sending = trio.Lock()
        self._waiting = trio.CancelScope()
        self._phase = Phase.HEAD
        self._since = trio.current_time()
        self._ending = False
        self._gone = False
        self._limits = {Phase.HEAD: serving.head_timeout_s, Phase.BODY: BODY_TIMEOUT_S, Phase.ANSWER: math.inf, Phase.NEXT: KEEP_ALIVE_S}

    async def run(self) -> None:
        """Serve until either side ends it; whatever happens, its socket is closed and its requests have ended."""
        try:
            client, server = self._stream.socket.getpeername(), self._stream.socket.getsockname()
            with self._serving.connections.entry(self, client[0]):
                async with trio.open_nursery() as nursery:
                    self._protocol = self._open_protocol(nursery, client, server)
                    await self._read()
                    await self._protocol.handle(Closed())
                    await self._linger()
                    await self._stream.aclose()
        finally:
            await trio.aclose_forcefully(self._stream)

    def drain(self) -> None:
        """End now if no request is here or on its way, else after its answer (hypercorn's `terminated` is set by then)."""
        if not self._protocol.has_begun:
            self._end()

    def _open_protocol(self, nursery: trio.Nursery, client: tuple[str, int], server: tuple[str, int]) -> Http1:
        serving = self._serving
        requests = Requests(nursery, serving.app, serving.log)
        return Http1(requests, serving.config, serving.context, client=client[:2], server=server[:2], send=self._act, refused=self._refused)

    async def _read(self) -> None:
        """Hand over what comes, until the client has gone, its time is over or the last answer was given."""
        while not self._ending:
            with trio.CancelScope(deadline=self._deadline()) as self._waiting:
                try:
                    data = await self._stream.receive_some(MAX_READ_BYTES)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    self._gone = True
                    return
            if self._waiting.cancelled_caught:
                if not self._ending:
                    await self._time_out()
            elif data:
                await self._protocol.handle(RawData(bytes(data)))
            else:
                self._gone = True
                return

    def _deadline(self) -> float:
        """Until when the next bytes must come. A phase's time begins with the phase, so bytes that drip do not prolong it."""
        if self._protocol.phase is not self._phase:
            self._phase, self._since = self._protocol.phase, trio.current_time()
        return self._since + self._limits[self._phase]

    async def _time_out(self) -> None:
        """The time for this phase is over: say so if a request has begun."""
        self._serving.count("connections_cut", reason=f"{self._phase.value}_timeout")
        if self._protocol.has_begun:
            await self._protocol.refuse("request_timeout")
        self._end()

    async def _act(self, event: Event) -> None:
        """Do what the protocol asks for."""
        if isinstance(event, RawData):
            await self._send(event.data)
        elif isinstance(event, Closed):
            self._end()
        else:  # it rests: the time until the next request begins
            self._waiting.deadline = self._deadline()

    async def _send(self, data: bytes) -> None:
        """Send bytes, each call's in one piece. A send that fails or is cancelled half-way ends the connection."""
        if not data or self._gone:
            return
        async with self._sending:
            sent = False
            try:
                with trio.move_on_after(SEND_TIMEOUT_S) as sending:
                    await self._stream.send_all(data)
                    sent = True
                if sending.cancelled_caught:
                    self._serving.count("connections_cut", reason="send_timeout")
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
            finally:
                if not sent:
                    self._gone = True
                    self._end()

    def _end(self) -> None:
        """Read no more and begin no further request; what was to be sent is sent."""
        self._ending = True
        self._protocol.stop()
        self._waiting.cancel()

    def _refused(self, code: str, request_id: str) -> None:
        self._serving.count("requests_refused", code=code)
        self._serving.log.request_refused(code, request_id)

    async def _linger(self) -> None:
        """Let the client read its last answer before the socket closes: read on, for a while, what it still sends."""
        if self._gone or not self._protocol.expects_more:
            return
        with trio.move_on_after(LINGER_S):
            try:
                async with self._sending:
                    await self._stream.send_eof()
                for _ in range(LINGER_READS):
                    if not await self._stream.receive_some(MAX_READ_BYTES):
                        return
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
