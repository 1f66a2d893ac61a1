"""One connection, from accept to close. An error on a connection ends only that connection."""

import math

import trio
from attrs import frozen
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData
from hypercorn.trio.worker_context import WorkerContext

from newsintel.domain.ports import Count
from newsintel.errors import flatten_errors
from newsintel.http.asgi import Asgi
from newsintel.http.server.connections import Connections, TooManyError
from newsintel.http.server.http1 import Http1, Phase
from newsintel.http.server.log import ServerLog
from newsintel.http.server.request_runner import RequestRunner
from newsintel.http.server.wire import Wire
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

KEEP_ALIVE_S = 75.0
"""Longer than the idle timeout of an AWS load balancer (60 s). With a shorter time, the balancer
could reuse a connection that we are closing, and answer 502."""
BODY_TIMEOUT_S = 15.0
"""For a request's whole body. Longer than the 10 s after which the application answers 408, so
that usually the application answers."""
SEND_TIMEOUT_S = 30.0
"""For one part of a response, at most some 100 KiB. A slower client is disconnected."""
LINGER_S = 2.0
"""How long a client may continue to send after the last response. An immediate close would reset
the connection, and the client could lose the response (RFC 9112, 9.6)."""
LINGER_READS = 32
"""Reads during LINGER_S, of 2 MiB in total at most."""
MAX_READ_BYTES = 65_536


@frozen
class ServerParts:
    """The parts that all connections of a server share."""

    app: Asgi
    config: Config
    context: WorkerContext
    connections: Connections
    log: ServerLog
    count: Count
    head_timeout_s: float
    wire: Wire | None

    async def serve_connection(self, stream: trio.SocketStream) -> None:
        """Serve one connection to its end.

        Raises only Cancelled: any other error is logged with its causes and counted.
        """
        try:
            await Connection(self, stream).run()
        except* TooManyError:
            pass
        except* OSError as lost:
            log.debug("connection_lost", cause=repr(flatten_errors(lost)[0]))
        except* Exception as failure:  # noqa: BLE001  # one error must not end other connections
            self.count("connection_errors")
            self.log.log_connection_failure(failure)


class Connection:
    """Reads from a client, passes the bytes to the protocol, and holds the timers.

    The connection's requests run in its own nursery.
    """

    def __init__(self, serving: ServerParts, stream: trio.SocketStream) -> None:
        self._serving = serving
        self._stream = stream
        self._sending = trio.Lock()
        self._waiting = trio.CancelScope()
        self._phase = Phase.HEAD
        self._since = trio.current_time()
        self._ending = False
        self._gone = False
        self._limits = {
            Phase.HEAD: serving.head_timeout_s,
            Phase.BODY: BODY_TIMEOUT_S,
            Phase.ANSWER: math.inf,
            Phase.NEXT: KEEP_ALIVE_S,
        }

    async def run(self) -> None:
        """Serve until either side ends the connection.

        On return or error, the socket is closed and all requests have ended.
        """
        try:
            client, server = self._stream.socket.getpeername(), self._stream.socket.getsockname()
            with self._serving.connections.register(self, client[0]):
                try:
                    async with trio.open_nursery() as nursery:
                        self._protocol = self._open_protocol(nursery, client, server)
                        await self._forward_bytes()
                        await self._protocol.handle(Closed())
                        await self._linger()
                        self._stream.socket.close()
                finally:
                    # The collector freezes old objects (`configure_gc`). It would not find this
                    # connection and its last bytes any more if they formed a reference cycle.
                    self._protocol.release()
        finally:
            self._stream.socket.close()

    def drain(self) -> None:
        """End the connection now if no request has begun to arrive, else after the response.

        The caller has set hypercorn's `terminated` before.
        """
        if not self._protocol.has_begun:
            self._end_connection()

    def _open_protocol(
        self, nursery: trio.Nursery, client: tuple[str, int], server: tuple[str, int]
    ) -> Http1:
        serving = self._serving
        requests = RequestRunner(nursery, serving.app, serving.log)
        return Http1(
            requests,
            serving.config,
            serving.context,
            client=client[:2],
            server=server[:2],
            send=self._handle_event,
            refused=self._record_refusal,
        )

    async def _forward_bytes(self) -> None:
        """Pass received bytes to the protocol until the client leaves or the connection ends."""
        while not self._ending:
            with trio.CancelScope(deadline=self._compute_deadline()) as self._waiting:
                try:
                    data = await self._stream.receive_some(MAX_READ_BYTES)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    self._gone = True
                    return
            if self._waiting.cancelled_caught:
                if not self._ending:
                    await self._handle_timeout()
            elif data:
                await self._handle_bytes(bytes(data))
                data = b""  # while it waits, a connection should not hold its last 64 KiB
            else:
                self._gone = True
                return

    async def _handle_bytes(self, data: bytes) -> None:
        """Answer from finished bytes if possible, else pass the bytes to the protocol."""
        wire = self._serving.wire
        if wire is not None and await wire.try_answer(data, self._protocol, self._send_bytes):
            # The time for the next request starts with this answer, not with the first one.
            self._phase, self._since = self._protocol.phase, trio.current_time()
        else:
            await self._protocol.handle(RawData(data))

    def _compute_deadline(self) -> float:
        """Return when the next bytes must have arrived.

        A phase's time starts with the phase, so a client that sends slowly does not extend it.
        """
        if self._protocol.phase is not self._phase:
            self._phase, self._since = self._protocol.phase, trio.current_time()
        return self._since + self._limits[self._phase]

    async def _handle_timeout(self) -> None:
        """End the connection after the phase's time limit; answer 408 if a request has begun."""
        self._serving.count("connections_cut", reason=f"{self._phase.value}_timeout")
        if self._protocol.has_begun:
            await self._protocol.refuse_request("request_timeout")
        self._end_connection()

    async def _handle_event(self, event: Event) -> None:
        """Carry out one event of the protocol."""
        if isinstance(event, RawData):
            await self._send_bytes(event.data)
        elif isinstance(event, Closed):
            self._end_connection()
        else:  # idle: the time limit for the next request starts
            self._waiting.deadline = self._compute_deadline()

    async def _send_bytes(self, data: bytes) -> None:
        """Send bytes; calls do not interleave. A failed or cancelled send ends the connection."""
        if not data or self._gone:
            return
        try:
            self._sending.acquire_nowait()  # `acquire` would let other tasks run first
        except trio.WouldBlock:
            await self._sending.acquire()
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
            self._sending.release()
            if not sent:
                self._gone = True
                self._protocol.lose()
                self._end_connection()

    def _end_connection(self) -> None:
        """Stop reading and start no further request. A send that is running completes."""
        self._ending = True
        self._protocol.stop()
        self._waiting.cancel()

    def _record_refusal(self, code: str, request_id: str) -> None:
        self._serving.count("requests_refused", code=code)
        self._serving.log.log_refusal(code, request_id)

    async def _linger(self) -> None:
        """Give the client time to read its last response: read and discard what it still sends."""
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
