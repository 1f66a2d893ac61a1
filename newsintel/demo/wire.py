"""HTTP/1.1 on a trio stream: requests in, replies out.

Written on h11 rather than on a framework, because half of what this server is for are answers that no framework agrees to send: a wrong
Content-Length, a reset in mid-body, headers that come one byte at a time. Those are `Sabotage`: functions that get the bare stream.
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
"""The header that every response carries: nobody shall take this server for the real thing."""
JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
RECEIVE_BYTES = 65_536
MAX_BODY_BYTES = 65_536
"""A request's; the largest real one is a token request of about 100 bytes."""


@frozen
class Request:
    """One HTTP request. Header names are in lower case; of a repeated query parameter the last one counts."""

    method: str
    path: str
    query: Mapping[str, str] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""


@frozen
class Reply:
    """One HTTP response, sent with its true Content-Length."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=dict)

    @classmethod
    def json(cls, status: int, value: Any, **headers: str) -> "Reply":
        """A JSON response; underscores in header names stand for hyphens."""
        return cls(status, orjson.dumps(value), {"Content-Type": JSON} | {name.replace("_", "-"): text for name, text in headers.items()})

    @classmethod
    def html(cls, status: int, text: str) -> "Reply":
        """An HTML page, as proxies and network blocks send."""
        return cls(status, text.encode(), {"Content-Type": HTML})

    def with_headers(self, headers: Mapping[str, str]) -> "Reply":
        """The same with further headers."""
        return evolve(self, headers={**self.headers, **headers})

    @property
    def reason(self) -> str:
        """The status line's words."""
        return HTTPStatus(self.status).phrase

    @property
    def header_lines(self) -> list[tuple[str, str]]:
        """Every header but the framing ones."""
        return [*self.headers.items(), SIMULATED]


Sabotage = Callable[[trio.SocketStream], Awaitable[None]]
"""Does something unkind to a connection instead of answering; the connection is closed after it."""
Respond = Callable[[Request], Awaitable[Reply | Sabotage]]


async def converse(stream: trio.SocketStream, respond: Respond) -> None:
    """Serve one connection until either side ends it. What a client does wrong costs only its own connection.

    So does a bug in an answer, which is logged: any page open in a browser can send requests here, and none may end the demo.
    """
    connection = h11.Connection(h11.SERVER)
    try:
        while (request := await _receive(connection, stream)) is not None:
            answer = await respond(request)
            if not isinstance(answer, Reply):
                await answer(stream)
                return
            await _send(connection, stream, answer, head=request.method == "HEAD")
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()
    except (trio.BrokenResourceError, h11.RemoteProtocolError):
        return
    except Exception:
        log.exception("simulated_answer_failed")
    finally:
        await trio.aclose_forcefully(stream)


async def _receive(connection: h11.Connection, stream: trio.SocketStream) -> Request | None:
    """The next request, or None when there will be none."""
    head, body = None, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.receive_some(RECEIVE_BYTES))
        elif isinstance(event, h11.Request) and event.method != b"CONNECT":  # there is nothing to be tunnelled to
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY_BYTES:
                return None
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _request(head, bytes(body))
        else:
            return None


def _request(head: h11.Request, body: bytes) -> Request:
    path, _, query = head.target.decode("ascii").partition("?")
    return Request(
        method=head.method.decode("ascii"),
        path=unquote(path),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers={name.decode("ascii"): value.decode("latin-1") for name, value in head.headers},
        body=body,
    )


async def _send(connection: h11.Connection, stream: trio.SocketStream, reply: Reply, *, head: bool) -> None:
    headers = [*reply.header_lines, ("Content-Length", str(len(reply.body)))]
    data = connection.send(h11.Response(status_code=reply.status, headers=headers, reason=reply.reason))
    if not head:
        data += connection.send(h11.Data(data=reply.body))
    data += connection.send(h11.EndOfMessage())
    await stream.send_all(data)
