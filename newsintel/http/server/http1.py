"""HTTP/1.1 on one connection: hypercorn's protocol over h11, with our changes.

Only this file uses hypercorn's internals. The differences, with reasons:

- Upgrades are ignored (RFC 9110 7.8). Hypercorn would start HTTP/2 or a WebSocket inside the
  connection; a load balancer sends us HTTP/1.1.
- A request's body waits in `Inbox`, which can be ended at any time. Hypercorn's queue, when full,
  blocks the message that the client has left.
- The application's task reports how its request ended, so each request is logged and measured once.
- The answer to invalid bytes is a problem document.
- A response that begins before the request's body has arrived announces that the connection closes.
- A response's head is sent with the first bytes of a small body: one system call, one packet.

Hypercorn is pinned; tests/http/server/test_http1.py fails if one of the parts used here changes.
"""

from collections.abc import Awaitable, Callable
from enum import Enum
from itertools import count
from typing import Any

import h11
import trio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.events import Body, EndBody, Request, Response, StreamClosed
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol
from hypercorn.protocol.http_stream import ASGIHTTPState, HTTPStream
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGISendEvent, ConnectionState
from hypercorn.utils import suppress_body

from newsintel.http.middleware.envelope import assign_request_id, choose_request_id
from newsintel.http.server.head_checks import find_head_problem, find_request_problem
from newsintel.http.server.refusals import build_refusal
from newsintel.http.server.request_runner import RequestRunner

MAX_WIRE_BODY_BYTES = 131_072
"""Limit of a request's body including its chunk framing: twice the largest body. One chunk of one
byte takes 20 us to read."""
EVENTS_PER_CHECKPOINT = 64
"""Events of one read after which other tasks may run: about a millisecond."""

MAX_JOINED_BYTES = 32_768
"""Limit of a body that is copied to be sent with its head.

Larger bodies are sent as they are: otherwise every client that does not read would hold a copy of
an answer that all share.
"""

_CLIENT_DONE = {h11.MUST_CLOSE, h11.CLOSED}

_FRAMING = {b"transfer-encoding", b"content-length"}
"""The headers of which one says that a request has a body (RFC 9112, 6)."""

_PROBLEM_CODES = {431: "headers_too_large"}
"""h11's status hints that have a more specific problem than `bad_request`."""


def join_parts(head: bytes, body: bytes) -> tuple[bytes, ...]:
    """Return a head and a body as what is sent at once."""
    return (head, body) if head and len(body) > MAX_JOINED_BYTES else (head + body,)


async def _run_no_app(*_given: object) -> None:
    """Placeholder for the application that hypercorn requires; see `RequestRunner`."""


class Phase(Enum):
    """What a connection waits for."""

    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"
    NEXT = "next"


class RequestStream(HTTPStream):
    """One request and its response. `RequestRunner` logs its end."""

    def __init__(self, protocol: "Http1") -> None:
        of = protocol
        super().__init__(
            of.app,
            of.config,
            of.context,
            of.task_group,
            of.ssl,
            of.client,
            of.server,
            of.stream_send,
            STREAM_ID,
        )
        self._protocol = protocol

    async def handle(self, event: StreamEvent) -> None:
        """Handle one part of the request, or the event that the connection closed the stream."""
        if not isinstance(event, StreamClosed):
            await super().handle(event)
        elif not self.closed:
            self.closed = True
            await self.app_put({"type": "http.disconnect"})

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """Send one message of the application; note in the state if it cannot be sent.

        After the last part of a body, the empty end of a response may be missing: a client that
        has the body may close.
        """
        matters = message is not None and not self._is_empty_end(message)
        was_over = self.closed or self._protocol.is_over
        await super().app_send(message)
        if matters and (was_over or self._protocol.is_lost):
            self.scope["state"]["cut"] = True

    def _is_empty_end(self, message: ASGISendEvent) -> bool:
        """Whether all bytes of the response were sent before this message."""
        is_end = not message.get("body") and not message.get("more_body", False)
        return message["type"] == "http.response.body" and is_end and not self._protocol.holds_head

    async def _send_closed(self) -> None:
        await self.send(EndBody(stream_id=self.stream_id))
        self.state = ASGIHTTPState.CLOSED
        await self.send(StreamClosed(stream_id=self.stream_id))

    async def _send_error_response(self, status_code: int) -> None:  # noqa: ARG002  # always 500
        self.state = ASGIHTTPState.CLOSED
        await self._protocol.refuse_request("internal")


class Http1(H11Protocol):
    """Translates the bytes of one connection into requests, and responses into bytes.

    Args:
        requests: runs the application.
        config: hypercorn's settings.
        context: hypercorn's; its event `terminated` is set while the server drains.
        client: the client's address and port.
        server: our address and port.
        send: carries out an event: send bytes, end the connection after them, or mark it idle.
        refused: called with the problem's code and the request's id each time the server itself
            answers with a problem.
    """

    def __init__(
        self,
        requests: RequestRunner,
        config: Config,
        context: WorkerContext,
        *,
        client: tuple[str, int] | None,
        server: tuple[str, int] | None,
        send: Callable[[Event], Awaitable[None]],
        refused: Callable[[str, str], None],
    ) -> None:
        super().__init__(
            _run_no_app,  # type: ignore[arg-type]
            config,
            context,
            requests,  # type: ignore[arg-type]
            ConnectionState({}),
            False,  # without TLS
            client,
            server,
            send,
        )
        self._refused = refused
        self._head = b""
        self._body_bytes = 0
        self._closes = False
        self._has_body = False
        self._over = False
        self._lost = False

    @property
    def phase(self) -> Phase:
        """The connection's current phase."""
        state = self.connection.their_state
        if state is h11.IDLE:
            return Phase.NEXT if self.keep_alive_requests and not self.has_begun else Phase.HEAD
        return Phase.BODY if state is h11.SEND_BODY else Phase.ANSWER

    @property
    def has_begun(self) -> bool:
        """Whether a request has begun to arrive."""
        return self.connection.their_state is not h11.IDLE or bool(self.connection.trailing_data[0])

    @property
    def expects_more(self) -> bool:
        """Whether the client may still be sending a request that we do not read to its end."""
        return self.has_begun and self.connection.their_state in {
            h11.IDLE,
            h11.SEND_BODY,
            h11.ERROR,
        }

    @property
    def is_over(self) -> bool:
        """Whether the connection sends no further bytes."""
        return self._over

    @property
    def is_lost(self) -> bool:
        """Whether bytes could not be sent."""
        return self._lost

    @property
    def holds_head(self) -> bool:
        """Whether a response's head waits for the first part of its body."""
        return bool(self._head)

    @property
    def _is_body_left(self) -> bool:
        """Whether the response begins before the request's body has arrived.

        Such a connection closes after the response, which must say so (RFC 9112, 9.6): a client or
        a balancer that is not told may already have sent its next request, and gets no answer.
        """
        return self._has_body and self.connection.their_state is h11.SEND_BODY

    @property
    def can_be_skipped(self) -> bool:
        """Whether the next request may be answered without the parser.

        The parser holds nothing, no response is running, and the connection stays open after the
        next response.
        """
        connection = self.connection
        return (
            connection.their_state is h11.IDLE
            and connection.our_state is h11.IDLE
            and not connection.trailing_data[0]
            and not self._over
            and self.keep_alive_requests + 1 < self.config.keep_alive_max_requests
            and not self.context.terminated.is_set()
        )

    async def handle(self, event: Event) -> None:
        """Handle bytes from the client, or the event that it has left."""
        if isinstance(event, RawData):
            await self._handle_bytes(event.data)
        else:
            await super().handle(event)

    async def _handle_bytes(self, left: bytes) -> None:
        """Give bytes to h11, and handle the events that they complete."""
        while left and not self._over and self.connection.their_state not in _CLIENT_DONE:
            # h11 checks its limit only when it needs more bytes, so it gets no more than the limit
            # has room for.
            room = self.config.h11_max_incomplete_size - len(self.connection.trailing_data[0])
            if room <= 0:
                await self.refuse_request("headers_too_large")
                return
            part, left = left[:room], left[room:]
            if self.connection.their_state is h11.SEND_BODY and not self._has_room_for(part):
                await self.refuse_request("too_large")
                return
            self.connection.receive_data(part)
            await self._handle_events()

    def stop(self) -> None:
        """Start no further request and produce no more bytes, because the connection ends."""
        self._over = True

    def lose(self) -> None:
        """Note that bytes could not be sent, so the response that they belong to is incomplete."""
        self._lost = True

    def release(self) -> None:
        """Drop every reference to the connection, which has ended, and to its last request."""
        del self.send, self._refused, self.task_group
        self.stream = None

    def _has_room_for(self, part: bytes) -> bool:
        self._body_bytes += len(part)
        return self._body_bytes <= MAX_WIRE_BODY_BYTES

    async def refuse_request(self, code: str, *, head: bytes = b"", method: str = "GET") -> None:
        """Answer with a problem if no response has begun, then end the connection.

        Args:
            code: of the problem.
            head: bytes that are no request's head.
            method: of a request that was read but not passed to the application.
        """
        scope: Any = self.stream.scope if isinstance(self.stream, RequestStream) else None
        request_id = assign_request_id(scope) if scope else choose_request_id(())
        self._refused(code, request_id)
        data = b""
        if self.connection.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            status, headers, body = build_refusal(
                code, head, path=scope["path"] if scope else "", request_id=request_id
            )
            if suppress_body(scope["method"] if scope else method, status):
                body = b""
            if scope:
                scope["state"]["refused"] = status, len(body), code
            parts = (
                h11.Response(
                    headers=[*headers, *self.config.response_headers("h11")], status_code=status
                ),
                h11.Data(data=body),
                h11.EndOfMessage(),
            )
            data = b"".join(self._serialize_part(part) for part in parts)
        self._over = True
        await self.send(RawData(data))
        await self.send(Closed())

    async def stream_send(self, event: StreamEvent) -> None:
        """Send a part of a response. The head is held until the first part of the body."""
        if isinstance(event, Response):
            headers = [*event.headers, *self.config.response_headers("h11")]
            if (
                self._closes
                or self._is_body_left
                or self.keep_alive_requests >= self.config.keep_alive_max_requests
                or self.context.terminated.is_set()
            ):
                headers.append((b"connection", b"close"))
            self._head = self._serialize_part(
                h11.Response(headers=headers, status_code=event.status_code)
            )
        elif isinstance(event, Body | EndBody):
            part = h11.Data(data=event.data) if isinstance(event, Body) else h11.EndOfMessage()
            data = self._serialize_part(part)
            head, self._head = self._head, b""
            for piece in join_parts(head, data):
                await self.send(RawData(piece))
        elif isinstance(event, StreamClosed):
            await self._maybe_recycle()

    def _serialize_part(
        self, part: h11.InformationalResponse | h11.Response | h11.Data | h11.EndOfMessage
    ) -> bytes:
        """Return the bytes of a part of a response; empty after the connection's last response."""
        return b"" if self._over else bytes(self.connection.send(part))

    async def _handle_events(self) -> None:
        body = bytearray()
        for turn in count(1):
            if self._over or self.connection.their_state in _CLIENT_DONE:
                break  # bytes after the last request are discarded (RFC 9112, 9.6)
            if turn % EVENTS_PER_CHECKPOINT == 0:
                await trio.lowlevel.checkpoint()
            if self.connection.they_are_waiting_for_100_continue:
                await self.send(
                    RawData(
                        self._serialize_part(h11.InformationalResponse(status_code=100, headers=[]))
                    )
                )
            idle = self.connection.their_state is h11.IDLE
            head = self.connection.trailing_data[0] if idle else b""
            try:
                if code := find_head_problem(head):
                    await self.refuse_request(code)
                    return
                event = self.connection.next_event()
            except h11.RemoteProtocolError as error:
                # h11's error is in its own traceback: a cycle, with this connection in it.
                error.__traceback__ = None
                await self.refuse_request(
                    _PROBLEM_CODES.get(error.error_status_hint, "bad_request"), head=head
                )
                return
            head = b""  # while it waits, a connection should not hold its last 64 KiB
            if isinstance(event, h11.Data):
                body += event.data  # all chunks of one read form one message
            elif not await self._process_event(event, body):
                break
        await self._forward_body(body)

    async def _process_event(self, event: object, body: bytearray) -> bool:
        """Handle one event that is not body data. Returns False if h11 has no further event."""
        if isinstance(event, h11.Request):
            await self._start_request(event)
        elif event is h11.PAUSED:
            # The client pipelined: the next request arrived before this response was sent.
            await self.can_read.clear()
            await self.can_read.wait()
        elif isinstance(event, h11.EndOfMessage) and (stream := self.stream) is not None:
            # While the body waits for room, the response can end and `self.stream` be dropped. The
            # stream itself is closed then, and ignores this.
            await self._forward_body(body)
            await stream.handle(EndBody(stream_id=STREAM_ID))
        else:
            return False
        return True

    async def _forward_body(self, body: bytearray) -> None:
        """Pass the received part of a request's body to the application."""
        if body and self.stream is not None:
            await self.stream.handle(Body(stream_id=STREAM_ID, data=bytes(body)))
        body.clear()

    async def _start_request(self, request: h11.Request) -> None:
        """Start the application on a request whose head is complete."""
        self.keep_alive_requests += 1
        self._body_bytes = 0
        if (code := find_request_problem(request)) is not None:
            await self.refuse_request(code, method=request.method.decode("ascii"))
            return
        framing = {name for name, _ in request.headers} & _FRAMING
        # RFC 9112, 6.1: a request with both headers may be request smuggling, so the connection
        # closes after its response.
        self._closes = framing == _FRAMING
        self._has_body = bool(framing)
        self.stream = stream = RequestStream(self)
        await stream.handle(
            Request(
                stream_id=STREAM_ID,
                headers=list(request.headers),
                http_version=request.http_version.decode(),
                method=request.method.decode("ascii"),
                raw_path=request.target,
                state=self.connection_state,
            )
        )
