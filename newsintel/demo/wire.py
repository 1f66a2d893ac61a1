"""HTTP/1.1 on a trio stream: requests in, replies out.

It uses h11 and no framework, because this server must send answers that frameworks do not send: a
wrong Content-Length, a reset in mid-body, headers that come one byte at a time. Those are
`Sabotage`: functions that get the bare stream.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

import h11
import orjson
import trio
from attrs import evolve, field, frozen

from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

SIMULATED = ("X-Simulated", "newsintel-demo")
"""The header of every response, so that nobody mistakes this server for a real one."""
JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
RECEIVE_BYTES = 65_536
MAX_BODY_BYTES = 65_536
"""Of a request; the largest real one is a token request of about 100 bytes."""


@frozen
class Request:
    """One HTTP request. Header names are in lower case; the last of a repeated parameter counts."""

    method: str
    path: str
    query: Mapping[str, str] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""


@frozen
class Reply:
    """One HTTP response, sent with the correct Content-Length."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=dict)

    @classmethod
    def json(cls, status: int, value: Any, **headers: str) -> "Reply":
        """Return a JSON response. Underscores in header names become hyphens."""
        return cls(
            status,
            orjson.dumps(value),
            {"Content-Type": JSON}
            | {name.replace("_", "-"): text for name, text in headers.items()},
        )

    @classmethod
    def html(cls, status: int, text: str) -> "Reply":
        """Return an HTML page, as proxies and network blocks send."""
        return cls(status, text.encode(), {"Content-Type": HTML})

    def with_headers(self, headers: Mapping[str, str]) -> "Reply":
        """Return a copy with more headers."""
        return evolve(self, headers={**self.headers, **headers})

    @property
    def reason(self) -> str:
        """The reason phrase of the status line."""
        return HTTPStatus(self.status).phrase

    @property
    def header_lines(self) -> list[tuple[str, str]]:
        """Every header except the framing headers."""
        return [*self.headers.items(), SIMULATED]


Sabotage = Callable[[trio.SocketStream], Awaitable[None]]
"""Breaks a connection instead of answering. The server closes the connection afterwards."""
Respond = Callable[[Request], Awaitable[Reply | Sabotage]]


async def serve_connection(stream: trio.SocketStream, respond: Respond) -> None:
    """Serve one connection until either side closes it. A client's error ends only that one.

    A bug in a response ends only that one too, and is logged: any page in a browser can send
    requests here, and none may end the demo.
    """
    connection = h11.Connection(h11.SERVER)
    try:
        while (request := await _receive_request(connection, stream)) is not None:
            answer = await respond(request)
            if not isinstance(answer, Reply):
                await answer(stream)
                return
            await _send_reply(connection, stream, answer, head=request.method == "HEAD")
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()
    except (trio.BrokenResourceError, h11.RemoteProtocolError):
        return
    except Exception:
        log.exception("simulated_answer_failed")
    finally:
        await trio.aclose_forcefully(stream)


async def _receive_request(connection: h11.Connection, stream: trio.SocketStream) -> Request | None:
    """Return the next request, or None if the connection must end."""
    head, body = None, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.receive_some(RECEIVE_BYTES))
        elif isinstance(event, h11.Request) and event.method != b"CONNECT":  # there is no tunnel
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY_BYTES:
                return None
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _build_request(head, bytes(body))
        else:
            return None


def _build_request(head: h11.Request, body: bytes) -> Request:
    path, _, query = head.target.decode("ascii").partition("?")
    return Request(
        method=head.method.decode("ascii"),
        path=unquote(path),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers={name.decode("ascii"): value.decode("latin-1") for name, value in head.headers},
        body=body,
    )


async def _send_reply(
    connection: h11.Connection, stream: trio.SocketStream, reply: Reply, *, head: bool
) -> None:
    headers = [*reply.header_lines, ("Content-Length", str(len(reply.body)))]
    data = connection.send(
        h11.Response(status_code=reply.status, headers=headers, reason=reply.reason)
    )
    if not head:
        data += connection.send(h11.Data(data=reply.body))
    data += connection.send(h11.EndOfMessage())
    await stream.send_all(data)
