"""Bytes that ended, or could have ended, more than their own connection.

The libraries h2 and wsproto make the frames of HTTP/2 and WebSocket.
"""

import gc
import http.client
import re
import socket
import struct
import tracemalloc
from contextlib import AsyncExitStack, closing

import h2.config
import h2.connection
import pytest
import trio
import trio.testing
from quart import Request, Response, request
from structlog.testing import capture_logs
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection
from wsproto.events import Request as Upgrade
from wsproto.events import TextMessage

from newsintel.errors import UnavailableError
from newsintel.http.response.errors import handle_errors
from newsintel.http.server.connection import Connection as ServedConnection
from newsintel.http.server.http1 import Http1, RequestStream
from tests.http.wire import PATIENCE_S, back_to, get, held, serving

HOST = b"Host: localhost\r\n"


def http2(*prepare):
    """Return what a client with prior knowledge of HTTP/2 sends.

    That is the preface, its settings and further frames (RFC 9113, 3.3).
    """
    client = h2.connection.H2Connection(
        h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    )
    client.initiate_connection()
    for step in prepare:
        step(client)
    return client.data_to_send()


def headers(stream_id=1, *, end_stream=True, **fields):
    """Return a step that opens a stream."""
    fields = {
        ":method": "GET",
        ":path": "/health",
        ":authority": "localhost",
        ":scheme": "http",
    } | fields
    return lambda client: client.send_headers(
        stream_id, [(n, v) for n, v in fields.items() if v is not None], end_stream=end_stream
    )


def priorities(number):
    """Return PRIORITY frames, in which each stream depends on the one before (RFC 9113, 5.3.2)."""
    return b"".join(
        struct.pack(">I", 5)[1:] + b"\x02\x00" + struct.pack(">IIB", 2 * n + 1, 2 * n - 1, 15)
        for n in range(1, number + 1)
    )


def websocket(extra=(), then=b""):
    """Return the opening of a WebSocket and what follows it at once."""
    client = WSConnection(ConnectionType.CLIENT)
    return (
        client.send(Upgrade(host="localhost", target="/articles", extra_headers=list(extra))) + then
    )


def websocket_frames():
    """Return a masked text frame."""
    return Connection(ConnectionType.CLIENT).send(TextMessage("hello"))


GET = b"GET /health HTTP/1.1\r\n" + HOST
POST = b"POST /articles HTTP/1.1\r\n" + HOST
KILLERS = {
    "a chunk size that is none": POST + b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\n",
    "h2c with settings that are none": (
        GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n\r\n"
    ),
    "h2c, then frames": GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + http2(),
    "a WebSocket's protocol outside ASCII": websocket(
        [("Sec-WebSocket-Protocol", "\u00e9".encode())]
    ),
    "WebSocket frames at once": websocket(then=websocket_frames()),
    "HTTP/2, CONNECT": http2(headers(**{":method": "CONNECT", ":path": None, ":scheme": None})),
    "HTTP/2, a path outside ASCII": http2(headers(**{":path": "/\u00e9"})),
    "HTTP/2, data after an early answer": http2(
        headers(end_stream=False), lambda client: client.send_data(1, b"x" * 1000)
    ),
    "HTTP/2, 1,001 priorities": http2() + priorities(1001),
    "HTTP/2, 900 interlinked priorities": http2() + priorities(900) + priorities(900)[::-1],
    "the preface alone": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version to come": b"GET /health HTTP/3.0\r\n" + HOST + b"\r\n",
    "a length and chunks": (
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "two lengths": POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    "a body shorter than its length": POST + b"Content-Length: 10\r\n\r\nabc",
    "a body longer than its length": POST + b"Content-Length: 1\r\n\r\nabcdef",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a chunk size of 2^80": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n",
    "a transfer coding that is none": POST + b"Transfer-Encoding: chunked, nonsense\r\n\r\n",
    "characters outside ASCII in the target": (
        "GET /articles?q=Z\u00fcrich HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    ),
    "a NUL in a header": GET + b"X: a\x00b\r\n\r\n",
    "a folded header": GET + b"X: a\r\n b\r\n\r\n",
    "no header name": GET + b": a\r\n\r\n",
    "a TLS greeting": bytes.fromhex("16030100c8010000c40303") + b"\x00" * 193,
    "nothing but line ends": b"\r\n" * 5000,
    "nothing but NUL": b"\x00" * 5000,
    "HTTP/0.9": b"GET /health\r\n",
    "an expectation and no body": POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    "an upgrade and the next request at once": (
        GET + b"Upgrade: x\r\nConnection: upgrade\r\n\r\n" + get("/health")
    ),
    "CONNECT, then bytes": b"CONNECT localhost:1 HTTP/1.1\r\n" + HOST + b"\r\n" + b"x" * 100,
    "HEAD of a version to come": b"HEAD /health HTTP/2.0\r\n" + HOST + b"\r\n",
    "HEAD in lower case": get("/articles", method="head"),
    "HEAD with a broken body": (
        b"HEAD /health HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\n"
    ),
}
"""The bytes to send, by their defect."""


def taking_bodies(app):
    """Add a route that reads its body."""

    async def take():
        return Response(await request.get_data())

    app.add_url_rule("/body", view_func=handle_errors(take), methods=["PUT"])


@pytest.mark.slow
@pytest.mark.parametrize("killer", KILLERS.values(), ids=KILLERS.keys())
async def test_a_broken_connection_ends_alone(killer):
    """The bytes are sent whole, in halves, and with the last five byte by byte.

    The service answers the next client, holds no more than before and counts no error.
    """
    async with serving() as served:
        before = held()
        for parts in (
            [killer],
            [killer[: len(killer) // 2], killer[len(killer) // 2 :]],
            [killer[:-5], *(bytes([b]) for b in killer[-5:])],
        ):
            await served.exchange(*parts, leave=True)
        assert await served.status(get("/health")) == 200
        await back_to(before)
        assert served.counted("connection_errors") == 0


@pytest.mark.parametrize(
    "fold",
    [
        b"X: a\r\n b\r\n",
        b"X:\r\n\ta\r\n",
        b"X: a\n b\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n",
        b" X: a\r\n",
    ],
)
async def test_a_folded_header_is_refused(fold):
    """A proxy in front may read the header differently (RFC 9112, 5.2)."""
    async with serving() as served:
        for head in (HOST + fold, fold + HOST):
            assert await served.status(b"GET /health HTTP/1.1\r\n" + head + b"\r\n") == 400
            assert (
                await served.status(b"GET /health HTTP/1.1\r\n" + head[:-1], head[-1:] + b"\r\n")
                == 400
            )


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
async def test_a_body_with_indented_lines_is_not_a_folded_header(end):
    """People write JSON with lines that begin with spaces."""
    async with serving(prepare=taking_bodies) as served:
        head = end.join(
            [
                b"PUT /body HTTP/1.1",
                b"Host: localhost",
                b"Connection: close",
                b"Content-Length: 11",
                b"",
                b"",
            ]
        )
        assert (await served.exchange(head + b"{\n  \n \n\t\n\n}")).endswith(b"{\n  \n \n\t\n\n}")


async def test_a_post_cut_at_any_byte_ends_only_its_connection():
    """The client of a valid request leaves after any number of bytes, with or without a reset."""
    whole = get("/body", "Content-Length: 10", method="PUT") + b"0123456789"
    async with serving(prepare=taking_bodies) as served:
        before = held()
        for end in range(len(whole)):
            for reset in (False, True):
                stream = await trio.open_tcp_stream("127.0.0.1", served.port)
                await stream.send_all(whole[:end])
                if reset:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                await stream.aclose()
        assert (await served.exchange(whole)).endswith(b"0123456789")
        await back_to(before)
        assert served.counted("connection_errors") == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (
            "GET /articles?q=Z\u00fcrich HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
            400,
            b"--data-urlencode",
        ),
        (b"GET / HTTP/1.1\r\n\r\n", 400, b'"code":"bad_request"'),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\n", 400, b'"code":"bad_request"'),
        (get("/health", "X: " + "x" * 70_000), 431, b'"code":"headers_too_large"'),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, b'"code":"version_not_supported"'),
        (b"HEAD / HTTP/2.0\r\n" + HOST + b"\r\n", 505, b"connection: close"),
        *(
            (get("/health", method=method), 400, b'"code":"bad_request"')
            for method in ("get", "head", "Head", "heaD", "post", "X" * 33, "X" * 15_000)
        ),
    ],
)
async def test_an_invalid_request_is_answered_with_a_problem(sent, status, code):
    """Like every problem it has an id and the security headers."""
    async with serving() as served:
        stream = await served.open()
        await stream.send_all(sent)
        answer = b""
        while code not in answer:
            answer += await stream.receive_some(65536)
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert b"application/problem+json" in answer
        assert b"x-request-id: " in answer.lower()
        assert b"nosniff" in answer
        assert b"content-security-policy: default-src 'none'" in answer.lower()


UNESCAPED = "GET /articles?q=Z\u00fcrich HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


@pytest.mark.parametrize(
    "parts",
    [
        (UNESCAPED,),
        (UNESCAPED[:17], UNESCAPED[17:]),
        (UNESCAPED[:18], UNESCAPED[18:]),
        (UNESCAPED[:30], UNESCAPED[30:]),
        (GET + b"\r\n" + UNESCAPED,),
        (GET + b"\r\n", UNESCAPED),
    ],
)
async def test_a_target_outside_ascii_is_explained(parts):
    """However its bytes come: at once, in two packets, or behind another request."""
    async with serving() as served:
        stream = await served.open()
        for part in parts:
            await stream.send_all(part)
            await trio.testing.wait_all_tasks_blocked(0.05)
        answer = b""
        while b'"code":' not in answer:
            answer += await stream.receive_some(65536)
        assert b"Percent-encode them as UTF-8" in answer


async def test_a_request_with_a_length_and_chunks_closes_its_connection():
    """What follows on the connection is not read as a request (RFC 9112, 6.1)."""
    sent = (
        b"GET /health HTTP/1.1\r\n"
        + HOST
        + b"Content-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    async with serving() as served:
        answer = await served.exchange(sent + get("/sources"))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answer.lower()


def ask_without_body(port, framing):
    """Send the head of a request; return the answer's status, and whether it ends the connection.

    The standard library's client judges that.
    """
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
        connection.putrequest("PUT", "/me/preferences/x")
        connection.putheader(*framing)
        connection.endheaders()
        with connection.getresponse() as answer:
            return answer.status, answer.will_close


@pytest.mark.parametrize("framing", [("Content-Length", "10"), ("Transfer-Encoding", "chunked")])
async def test_an_answer_before_the_body_says_that_the_connection_closes(framing):
    """Otherwise a client or balancer sends its next request, and gets no answer (RFC 9112, 9.6)."""
    async with serving() as served:
        assert await trio.to_thread.run_sync(ask_without_body, served.port, framing) == (401, True)


async def test_an_answer_after_the_body_keeps_the_connection():
    """The body arrived with the head."""
    head = b"PUT /me/preferences/x HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\n"
    async with serving() as served:
        stream = await served.open()
        for _ in range(2):
            await stream.send_all(head + b"0123456789")
            answer = b""
            while b'"code":' not in answer:
                answer += await stream.receive_some(65536)
            assert answer.startswith(b"HTTP/1.1 401 ")
            assert b"connection: close" not in answer.lower()


async def test_an_application_error_is_a_problem_and_its_cause_is_logged():
    """The cause is found at any depth of exception groups."""

    async def app(scope, receive, send):
        error = ValueError("the cause")
        for depth in range(30):
            error = ExceptionGroup(f"depth {depth}", [error])
        raise error

    with capture_logs() as lines:
        async with serving(app=app) as served:
            answer = await served.exchange(get("/health"))
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b'"code":"internal"' in answer
    assert [line["causes"] for line in lines if line["event"] == "application_failed"] == [
        ["ValueError('the cause')"]
    ]


async def test_a_store_failure_during_a_response_is_not_a_bug():
    """The response is cut, so that the client notices.

    The log has one warning with the reason and no traceback.
    """

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        raise UnavailableError("PostgreSQL does not answer")

    with capture_logs() as lines:
        async with serving(app=app) as served:
            answer = await served.exchange(get("/me/export"))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert not answer.endswith(b"0\r\n\r\n")
    told = [line for line in lines if line["log_level"] != "info"]
    assert [(line["event"], line["reason"], "exc_info" in line) for line in told] == [
        ("response_cut", "PostgreSQL does not answer", False)
    ]


async def test_a_server_error_ends_its_connection_and_is_counted_and_logged(monkeypatch):
    """The test plants a fault in the protocol's code; the next connection is served."""

    async def fail(self, event):
        if b"planted" in event.data:
            raise ExceptionGroup(
                "outer", [ExceptionGroup("inner", [RuntimeError("planted fault")])]
            )
        await whole(self, event)

    whole = Http1.handle
    monkeypatch.setattr(
        Http1,
        "handle",
        lambda self, event: fail(self, event) if hasattr(event, "data") else whole(self, event),
    )
    with capture_logs() as lines:
        async with serving() as served:
            assert await served.status(get("/health", "X: planted")) is None
            assert await served.status(get("/health")) == 200
            assert served.counted("connection_errors") == 1
    assert [line["causes"] for line in lines if line["event"] == "connection_failed"] == [
        ["RuntimeError('planted fault')"]
    ]


async def test_pipelined_requests_of_a_client_that_left_are_not_answered():
    """The client sends 900 requests and resets the connection.

    At most two more are begun, and the connection is released.
    """
    begun = 0

    async def app(scope, receive, send):
        nonlocal begun
        begun += 1
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]}
        )
        await send({"type": "http.response.body", "body": b"x"})

    async with serving(app=app) as served:
        before = held()
        stream = await trio.open_tcp_stream("127.0.0.1", served.port)
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 900)
        await stream.receive_some(1)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await stream.aclose()
        at_reset = begun
        await back_to(before)
        assert begun <= at_reset + 2 < 900


@pytest.mark.parametrize("size", [16_385, 20_000, 65_000])
@pytest.mark.parametrize("rest", [b"a" * 100, b""], ids=["one header", "many headers"])
async def test_heads_over_the_limit_are_refused(size, rest):
    """The limits are 16 KiB and 128 lines.

    They also hold for a head in one piece, for which h11 alone has no limit.
    """
    head = get("/health")[:-2]
    head += (
        b"X: " + b"a" * (size - len(head) - 7) + b"\r\n\r\n"
        if rest
        else b"a:\r\n" * ((size - len(head)) // 4) + b"\r\n"
    )
    async with serving() as served:
        assert (await served.exchange(head)).startswith(b"HTTP/1.1 431 ")
        assert (await served.exchange(head[:100], head[100:])).startswith(b"HTTP/1.1 431 ")


async def test_a_head_at_the_limit_is_accepted():
    """It has 16,384 bytes or 128 lines."""
    head = get("/health")[:-2]
    async with serving() as served:
        assert (
            await served.status(head + b"X: " + b"a" * (16_384 - len(head) - 7) + b"\r\n\r\n")
            == 200
        )
        assert await served.status(head + b"a:\r\n" * (128 - head.count(b"\n")) + b"\r\n") == 200


@pytest.mark.parametrize("extra", [b"\r\n", b"GET /nothing HTTP/1.1\r\n\r\n", b"x" * 100_000])
async def test_bytes_after_the_last_request_are_discarded(extra):
    """The whole answer arrives, whether the bytes come with the request or after it.

    See RFC 9112, 9.6.
    """
    async with serving() as served:
        whole = await served.exchange(get("/openapi.json"))
        length = int(re.search(rb"content-length: (\d+)", whole)[1])
        for parts in ([get("/openapi.json") + extra], [get("/openapi.json"), extra]):
            answer = await served.exchange(*parts)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert len(answer.partition(b"\r\n\r\n")[2]) == length
            assert len(re.findall(rb"HTTP/1\.1 \d{3} ", answer)) == 1


async def test_the_chunks_of_one_read_reach_the_application_together():
    """A body in chunks of one byte causes as many messages as reads, not as chunks.

    The framing of the chunks has a limit too.
    """
    messages = 0

    async def app(scope, receive, send):
        nonlocal messages
        while (await receive()).get("more_body"):
            messages += 1
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
        )
        await send({"type": "http.response.body", "body": b""})

    async with serving(app=app) as served:
        head = get("/body", "Transfer-Encoding: chunked", method="PUT")
        assert await served.status(head + b"1\r\nx\r\n" * 8000 + b"0\r\n\r\n") == 200
        assert messages <= 20
        assert await served.status(head + b"1\r\nx\r\n" * 60_000 + b"0\r\n\r\n") == 413


async def test_waiting_connections_hold_no_bytes_of_their_last_request():
    """One address may have 256 connections, each with a last read of 64 KiB."""
    head = f"POST /nothing HTTP/1.1\r\n{HOST.decode()}Content-Length: 50000\r\n\r\n".encode()
    async with serving() as served:
        tracemalloc.start()
        try:
            waiting = [await served.open() for _ in range(22)]
            sizes = []
            for number, stream in enumerate(waiting):
                await stream.send_all(head + b"x" * 50_000)
                assert (await stream.receive_some()).startswith(b"HTTP/1.1 404 ")
                if number in (1, 21):  # what is made once is not counted
                    await trio.testing.wait_all_tasks_blocked()
                    gc.collect()
                    sizes.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
    assert sizes[1] - sizes[0] < 20 * 25_000


@pytest.mark.parametrize("header", ["A: b", "Cookie: a=b"], ids=["the wire path", "the parser"])
async def test_clients_that_do_not_read_share_the_answer(header):
    """Each of a thousand connections would otherwise hold its own copy."""
    asked = f"GET /openapi.json HTTP/1.1\r\n{HOST.decode()}{header}\r\n\r\n".encode()
    async with serving() as served, AsyncExitStack() as opened:
        length = len(await served.exchange(get("/openapi.json", header)))
        tracemalloc.start()
        try:
            sizes = []
            for number in range(22):
                client = opened.enter_context(trio.socket.socket())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                await client.connect(("127.0.0.1", served.port))
                await client.send(asked)
                await trio.sleep(0.02)
                await trio.testing.wait_all_tasks_blocked()
                if number in (1, 21):  # what is made once is not counted
                    sizes.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
    assert length > 80_000
    assert sizes[1] - sizes[0] < 20 * 50_000


CYCLE_FREE = {
    "a hit": [get("/health")],
    "a search": [get("/articles?q=a")],
    "a HEAD": [get("/articles?q=a", method="HEAD")],
    "requests in a row": [b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3, get("/sources")],
    "an unknown path": [get("/nothing")],
    "an unknown path below an exempt one": [get("/docs/nothing")],
    "an unknown method": [get("/articles", method="DELETE")],
    "an invalid parameter": [get("/articles?q=a&limit=x")],
    "a foreign host": [b"GET / HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n"],
    "no account": [get("/me")],
    "an invalid key": [get("/me", "Authorization: Bearer ni_" + "a" * 43)],
    "an invalid request line": [b"GET /a b c HTTP/1.1\r\n\r\n"],
    "an invalid header": [b"GET / HTTP/1.1\r\nHost: localhost\r\na b: c\r\n\r\n"],
    "no host": [b"GET / HTTP/1.1\r\n\r\n"],
    "a folded header": [b"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c\r\n\r\n"],
    "an invalid length": [get("/nothing", "Content-Length: x")],
    "an invalid chunk": [get("/nothing", "Transfer-Encoding: chunked", method="POST"), b"ZZZ\r\n"],
    "too many lines": [get("/health", *("A: b",) * 200)],
    "HTTP/2": [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    "an old version": [b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n"],
    "half a head": [b"GET / HT"],
    "half a body": [get("/auth/logout", "Content-Length: 9", method="POST"), b"abc"],
    "a body that is too large": [get("/auth/logout", "Content-Length: 99999", method="POST")],
}
"""Requests after which a connection ends in different ways."""


@pytest.mark.slow
@pytest.mark.parametrize("parts", CYCLE_FREE.values(), ids=CYCLE_FREE.keys())
async def test_an_ended_connection_leaves_no_cycle(parts):
    """The collector skips objects that are old when they become garbage (`configure_gc`).

    So a connection and its requests must be freed without the collector. A client decides how old
    they become, since it may stay after its answer or not read it.
    """
    held = (Http1, ServedConnection, RequestStream, Request, trio.lowlevel.Task, BaseException)
    async with serving() as served:
        await served.exchange(*parts, leave=True)  # what is made once is not counted
        await trio.testing.wait_all_tasks_blocked()
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            for _ in range(3):
                await served.exchange(*parts, leave=True)
            await trio.testing.wait_all_tasks_blocked()
            gc.collect()
            found = [type(one).__name__ for one in gc.garbage if isinstance(one, held)]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert found == []
