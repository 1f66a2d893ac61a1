"""The real server on a real socket and clock: requests, errors, limits and shutdown."""

import json
import logging
import re
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import httpx
import pytest
import trio
from attrs import frozen
from quart import Response, request

from newsintel.errors import NewsIntelError
from newsintel.http.application import create_app, create_front
from newsintel.http.response.errors import handle_errors
from newsintel.http.server import listener as server
from newsintel.http.server import listening
from newsintel.http.server.listener import serve_http
from newsintel.runtime.telemetry.metrics import Metrics
from tests.http.world import Desk, World, settings
from tests.waiting import PATIENCE_S


@frozen
class Served:
    """A running server."""

    url: str
    shutdown: trio.Event
    opened: AsyncExitStack

    @property
    def port(self):
        """The port that the operating system chose."""
        return int(self.url.rpartition(":")[2])

    async def open(self):
        """Open a raw connection, which is closed with the server at the latest."""
        return await self.opened.enter_async_context(
            await trio.open_tcp_stream("127.0.0.1", self.port)
        )


@asynccontextmanager
async def serving(world=None, prepare=lambda _app: None, **environ):
    """Serve the whole application on a free port until the block ends."""
    world = world or World()
    world.settings = settings(NEWSINTEL_BIND="127.0.0.1:0", **environ)
    front = create_front(world.services)
    prepare(front.app)
    at_once = front.wire_path.answer
    shutdown = trio.Event()
    with trio.fail_after(PATIENCE_S):
        async with AsyncExitStack() as opened, trio.open_nursery() as nursery:
            (url,) = await nursery.start(
                partial(
                    serve_http,
                    front.app,
                    world.settings,
                    shutdown=shutdown,
                    metrics=world.metrics,
                    answer_at_once=at_once,
                )
            )
            yield Served(url, shutdown, opened)
            shutdown.set()


async def until_closed(stream):
    """Return everything that arrives until the server closes."""
    received = b""
    async for chunk in stream:
        received += chunk
    return received


async def exchange(served, *parts, pause_s=0.0):
    """Send raw bytes on one connection and read until it closes."""
    stream = await served.open()
    async with stream:
        for part in parts:
            await stream.send_all(part)
            await trio.sleep(pause_s)
        return await until_closed(stream)


def get(target, *headers, host="localhost", method="GET"):
    """Return the bytes of a request that asks to close the connection."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def parsed(raw):
    """Return status, headers and body of a response."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


async def test_head_is_get_without_a_body():
    """On every route HEAD has the status and headers of GET."""
    async with serving() as served, httpx.AsyncClient(base_url=served.url) as client:
        for path in (
            "/articles?q=a",
            "/articles",
            "/sources",
            "/health",
            "/health/ready",
            "/openapi.json",
            "/problems/busy",
            "/nothing",
        ):
            await client.get(path)  # so that both requests of a search are hits
            full, head = await client.get(path), await client.head(path)
            changing = {"x-request-id", "date", "content-length" if full.is_error else ""}
            assert head.content == b""
            assert head.status_code == full.status_code
            assert [item for item in head.headers.items() if item[0] not in changing] == [
                item for item in full.headers.items() if item[0] not in changing
            ]


async def test_no_header_names_the_server():
    """Name and version of the software are not sent; the date is (RFC 9110, 6.6.1)."""
    async with serving() as served, httpx.AsyncClient(base_url=served.url) as client:
        headers = (await client.get("/health")).headers
    assert "server" not in headers
    assert "date" in headers


async def test_a_connection_serves_many_requests():
    """The connection is kept alive after answers and problems."""
    ports = set()
    async with serving() as served, httpx.AsyncClient(base_url=served.url) as client:
        for target, status in (
            ("/health", 200),
            ("/nothing", 404),
            ("/articles?limit=0", 400),
            ("/articles?q=a", 200),
        ):
            response = await client.get(target)
            ports.add(response.extensions["network_stream"].get_extra_info("client_addr"))
            assert response.status_code == status
    assert len(ports) == 1


async def test_a_304_has_no_type_and_no_length():
    """It describes no body, and the connection stays open."""
    async with serving() as served, httpx.AsyncClient(base_url=served.url) as client:
        tag = (await client.get("/articles?q=a")).headers["etag"]
        response = await client.get("/articles?q=a", headers={"If-None-Match": tag})
        assert (response.status_code, response.content) == (304, b"")
        assert not {"content-type", "content-length"} & set(response.headers)
        assert (await client.get("/health")).status_code == 200


TARGETS = [
    ("GET", "/articles?q=%00", 400, "invalid_parameter"),
    ("GET", "/articles?q=%ff", 400, "invalid_parameter"),
    ("GET", "/articles?%ff", 400, "invalid_parameter"),
    ("GET", "/articles/%00", 400, "invalid_parameter"),
    ("GET", "/articles/%ff", 400, "invalid_parameter"),
    ("GET", "/%ff%00", 404, "not_found"),
    ("GET", "/articles//x", 404, "not_found"),
    ("GET", "/articles/", 404, "not_found"),
    ("GET", "/articles/../sources", 404, "not_found"),
    ("GET", "?q=a", 404, "not_found"),
    ("GET", "*", 404, "not_found"),
    ("OPTIONS", "*", 404, "not_found"),
    ("CONNECT", "localhost:80", 404, "not_found"),
    ("GET", "http://evil.test/sources", 421, "wrong_host"),
    ("GET", "http://[/sources", 421, "wrong_host"),
    ("GET", "http://evil.test", 421, "wrong_host"),
    ("GET", "http://localhost/mine", 404, "not_found"),
    ("TRACE", "/articles?q=a", 405, "method_not_allowed"),
    ("OPTIONS", "/articles", 405, "method_not_allowed"),
    ("POST", "/articles?q=a", 405, "method_not_allowed"),
    ("DELETE", "/health", 405, "method_not_allowed"),
    ("BREW", "/sources", 405, "method_not_allowed"),
    ("GET", "/mine", 404, "not_found"),
    ("GET", "/articles/stream", 400, "invalid_parameter"),
    ("GET", "/docs/x", 404, "not_found"),
    ("GET", "/search/x", 404, "not_found"),
]


async def test_odd_targets_and_methods_are_problems():
    """None is a 500; a 405 says which methods are allowed."""
    async with serving() as served:
        for method, target, status, code in TARGETS:
            got, headers, body = parsed(await exchange(served, get(target, method=method)))
            problem = json.loads(body)
            assert (got, problem["code"], headers["content-type"]) == (
                status,
                code,
                "application/problem+json",
            ), target
            assert headers.get("allow") == ("GET, HEAD" if status == 405 else None), target
            assert headers["cache-control"] == "no-store", target
            assert problem["request_id"] == headers["x-request-id"], target


async def test_the_host_of_an_absolute_target_counts():
    """The target's authority replaces the Host header (RFC 9112, 3.2.2)."""
    async with serving() as served:
        assert (
            parsed(await exchange(served, get("http://localhost/health", host="evil.test")))[0]
            == 200
        )
        assert (
            parsed(await exchange(served, get("http://evil.test/health", host="localhost")))[0]
            == 200
        )
        assert (
            parsed(await exchange(served, get("http://evil.test/sources", host="localhost")))[0]
            == 421
        )
        assert parsed(await exchange(served, b"GET /sources HTTP/1.0\r\n\r\n"))[0] == 421


async def test_a_wrong_host_is_421_on_the_wire():
    """A foreign Host is refused; two Host headers are an invalid request."""
    async with serving() as served:
        assert parsed(await exchange(served, get("/sources", host="evil.test")))[0] == 421
        assert parsed(await exchange(served, get("/sources", "Host: evil.test")))[0] == 400


async def test_a_request_id_cannot_split_a_header():
    """CR and LF in it are never echoed, neither raw nor folded."""
    async with serving() as served:
        for value in ("a%0d%0aX-Evil: 1", "a\rX-Evil: 1", "a\r\n X-Evil: 1", "a\nX-Evil: 1"):
            _, headers, _ = parsed(await exchange(served, get("/health", f"X-Request-Id: {value}")))
            assert "x-evil" not in headers
            assert re.fullmatch("[A-Za-z0-9-]*", headers.get("x-request-id", ""))


async def test_headers_beyond_the_limit_are_431():
    """Headers or a query of 70 KB are refused; other clients are served."""
    async with serving() as served, httpx.AsyncClient(base_url=served.url) as client:
        assert parsed(await exchange(served, get("/health", "X-Big: " + "x" * 70_000)))[0] == 431
        assert parsed(await exchange(served, get("/articles?q=" + "x" * 70_000)))[0] == 431
        assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"G\xffT / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_400(garbage):
    """A TLS greeting, a bad method and a missing Host are a 400, and the connection closes."""
    async with serving() as served:
        assert parsed(await exchange(served, garbage))[0] == 400


async def test_a_body_without_a_reader_is_refused_or_ignored():
    """A length of 10^11 is a 413 at once; a small slow body does not delay the answer to a GET."""
    async with serving() as served:
        status, _, body = parsed(
            await exchange(served, get("/health", "Content-Length: 100000000000"))
        )
        assert (status, json.loads(body)["code"]) == (413, "too_large")
        assert parsed(await exchange(served, get("/health", "Content-Length: 100")))[0] == 200
        assert parsed(await exchange(served, get("/health", "Content-Length: x")))[0] == 400


def taking_bodies(app, timeout_s=PATIENCE_S):
    """Add a route that reads its body."""

    async def take():
        return Response(await request.get_data())

    app.config["BODY_TIMEOUT"] = timeout_s
    app.add_url_rule("/body", view_func=handle_errors(take), methods=["PUT"])


async def test_bodies_have_limits():
    """A slow body is a 408 and a body over 64 KiB a 413, both as problems. A good one is read."""
    async with serving(prepare=partial(taking_bodies, timeout_s=0.3)) as served:
        slow = await exchange(
            served, get("/body", "Content-Length: 9", method="PUT"), b"a", b"b", pause_s=0.2
        )
    async with serving(prepare=taking_bodies) as served:
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        big = await exchange(
            served, get("/body", "Transfer-Encoding: chunked", method="PUT"), chunk, chunk, chunk
        )
        good = await exchange(served, get("/body", "Content-Length: 2", method="PUT"), b"ab")
    assert [(parsed(raw)[0], json.loads(parsed(raw)[2])["code"]) for raw in (slow, big)] == [
        (408, "request_timeout"),
        (413, "too_large"),
    ]
    assert parsed(good)[2] == b"ab"


async def test_a_head_that_arrives_too_slowly_is_cut():
    """If it is incomplete after HEAD_TIMEOUT_S, it is a 408 and the connection closes.

    Other clients are served meanwhile.
    """
    async with (
        serving(NEWSINTEL_HEAD_TIMEOUT_S="0.5") as served,
        httpx.AsyncClient(base_url=served.url) as client,
    ):
        stream = await served.open()
        async with stream:
            await stream.send_all(b"GET /health HTTP/1.1\r\nHost: loc")
            assert (await client.get("/health")).status_code == 200
            assert parsed(await until_closed(stream))[0] == 408


async def test_a_client_that_leaves_cancels_only_its_own_wait(caplog):
    """Its handler ends at the desk and logs no warning; other clients are answered."""
    world = World(desk=Desk(open=trio.Event()))
    async with serving(world) as served, httpx.AsyncClient(base_url=served.url) as client:
        leaver = await served.open()
        await leaver.send_all(get("/articles?q=a"))
        await world.desk.arrived.wait()
        await leaver.aclose()
        await world.desk.left.wait()
        world.desk.open.set()
        assert (await client.get("/articles?q=a")).status_code == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    "upgrade",
    [
        (
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
        ("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"),
        ("Upgrade: TLS/1.0",),
    ],
)
async def test_upgrades_are_ignored(upgrade):
    """RFC 9110, 7.8 allows a server to ignore them and to answer the plain request.

    The examples are those of the RFCs.
    """
    async with serving() as served:
        raw = get("/health", *upgrade).replace(
            b"Connection: close", b"Connection: Upgrade, HTTP2-Settings, close"
        )
        assert parsed(await exchange(served, raw))[0] == 200


async def test_shutdown_finishes_running_requests_and_refuses_new_ones():
    """The running request gets its 200, and a new connection is refused.

    An idle connection is closed; then the server ends.
    """
    world = World(desk=Desk(open=trio.Event()))
    async with serving(world) as served:
        idle = await served.open()
        stream = await served.open()
        await stream.send_all(get("/articles?q=a"))
        await world.desk.arrived.wait()
        served.shutdown.set()
        assert await until_closed(idle) == b""
        with pytest.raises(OSError, match="all attempts to connect"):
            await served.open()
        world.desk.open.set()
        assert parsed(await until_closed(stream))[0] == 200


async def test_a_request_that_never_ends_is_cut_at_shutdown(monkeypatch):
    """The server ends after its share of DRAIN_S."""
    monkeypatch.setattr(server, "GRACEFUL_SHARE", 0.015)  # 0.3 s of 20
    world = World(desk=Desk(open=trio.Event()))
    async with serving(world) as served:
        stream = await served.open()
        await stream.send_all(get("/articles?q=a"))
        await world.desk.arrived.wait()
        served.shutdown.set()
        await until_closed(stream)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="TCP_USER_TIMEOUT is Linux's")
async def test_a_client_that_stops_reading_cannot_delay_a_shutdown(monkeypatch):
    """After UNACKNOWLEDGED_MS the connection is dropped, even in hypercorn's shielded send."""
    left = []
    monkeypatch.setattr(listening, "UNACKNOWLEDGED_MS", 1000)
    monkeypatch.setattr(server, "GRACEFUL_SHARE", 0.015)  # 0.3 s of 20

    def with_a_flood(app):
        async def flood():
            return Response(b"x" * 32_000_000)

        app.add_url_rule("/flood", view_func=handle_errors(flood))

    async def leave_at_last(stream):
        # The server's send is shielded: without this the test would hang instead of failing.
        await trio.sleep(PATIENCE_S / 2)
        left.append(stream)
        await stream.aclose()

    async with trio.open_nursery() as watchdog:
        async with serving(prepare=with_a_flood) as served:
            stream = await served.open()
            watchdog.start_soon(leave_at_last, stream)
            await stream.send_all(get("/flood"))
            await stream.receive_some(1)
            await trio.sleep(0.2)
            served.shutdown.set()
        assert not left
        watchdog.cancel_scope.cancel()


async def test_an_address_in_use_is_reported_in_one_line():
    """The error names the address and the reason."""
    async with serving() as served:
        taken = settings(NEWSINTEL_BIND=f"127.0.0.1:{served.port}")
        with pytest.raises(
            NewsIntelError,
            match=rf"^cannot listen on 127\.0\.0\.1:{served.port}: Address already in use$",
        ):
            await serve_http(
                create_app(World().services), taken, shutdown=trio.Event(), metrics=Metrics()
            )


async def test_an_unavailable_address_is_reported_in_one_line():
    """A name that does not resolve is reported in the same way."""
    for bind in ("192.0.2.1:0", "no-such-host.invalid:0"):
        with pytest.raises(NewsIntelError, match=r"^cannot listen on "):
            await serve_http(
                create_app(World().services),
                settings(NEWSINTEL_BIND=bind),
                shutdown=trio.Event(),
                metrics=Metrics(),
            )


async def test_ipv6_is_served():
    """The reported URL has brackets around the address."""
    world = World(settings=settings(NEWSINTEL_BIND="[::1]:0"))
    shutdown = trio.Event()
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            (url,) = await nursery.start(
                partial(
                    serve_http,
                    create_app(world.services),
                    world.settings,
                    shutdown=shutdown,
                    metrics=Metrics(),
                )
            )
            async with httpx.AsyncClient() as client:
                assert (await client.get(f"{url}/sources")).status_code == 200
            shutdown.set()
