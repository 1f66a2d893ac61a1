"""Connections: how many there may be, how long each may take, and that each is released."""

import os
import resource
import shutil
import socket
import struct
from contextlib import ExitStack, suppress
from functools import partial

import pytest
import trio
from quart import Response
from structlog.testing import capture_logs

from newsintel.http.response.errors import handle_errors
from newsintel.http.server import connection
from newsintel.http.server import listener as server
from newsintel.http.server.connections import Connections, TooManyError
from newsintel.runtime.workers.connection_counts import ConnectionCounts, create_counts
from tests.http.wire import PATIENCE_S, back_to, get, held, serving, until_closed
from tests.http.world import settings
from tests.samples import read_samples

CHUNK = b"400\r\n" + b"x" * 0x400 + b"\r\n"


async def refused(served):
    """Return whether the server closes a new connection at once, before a request."""
    async with await served.open() as stream:
        return await until_closed(stream) == b""


async def test_connections_of_one_address_are_limited():
    """A connection over MAX_CONNECTIONS_PER_ADDRESS is closed at once and counted.

    A connection that ends makes room; other addresses have their own limit.
    """
    async with serving(NEWSINTEL_MAX_CONNECTIONS_PER_ADDRESS="3") as served:
        before = held()
        idle = [await served.open() for _ in range(3)]
        assert await refused(served)
        assert served.counted("connections_refused", limit="address") == 1
        elsewhere = await trio.open_tcp_stream("127.0.0.1", served.port, local_address="127.0.0.9")
        await elsewhere.send_all(get("/health"))
        assert (await until_closed(elsewhere)).startswith(b"HTTP/1.1 200 ")
        await elsewhere.aclose()
        for stream in idle:
            await stream.aclose()
        await back_to(before)
        assert await served.status(get("/health")) == 200


async def test_a_trusted_proxy_has_no_limit_per_address():
    """It carries the connections of many clients; MAX_CONNECTIONS applies to it too."""
    limits = {
        "NEWSINTEL_MAX_CONNECTIONS_PER_ADDRESS": "2",
        "NEWSINTEL_MAX_CONNECTIONS": "4",
        "NEWSINTEL_TRUSTED_PROXIES": "127.0.0.0/8",
    }
    async with serving(**limits) as served:
        for _ in range(4):
            stream = await served.open()
            await stream.send_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")
        assert await refused(served)
        assert served.counted("connections_refused", limit="all") == 1


def test_the_limit_in_total_holds_for_all_workers_together():
    """A connection of either worker counts; those of a worker that ends do not."""
    memory, refused = create_counts(), []

    def count(name, **labels):
        refused.append((name, labels))

    given = settings(NEWSINTEL_MAX_CONNECTIONS="3")
    try:
        first, second = (
            Connections(given, count, capacity=3, all_workers=ConnectionCounts(memory, worker))
            for worker in (1, 2)
        )
        with ExitStack() as opened:
            for table in (first, second, second):
                opened.enter_context(table.register(object(), "192.0.2.1"))
            for table in (first, second):
                with pytest.raises(TooManyError), table.register(object(), "192.0.2.2"):
                    pass
            assert refused == [("connections_refused", {"limit": "all"})] * 2
            second.leave()
            opened.enter_context(first.register(object(), "192.0.2.3"))
        with first.register(object(), "192.0.2.1"):
            pass
    finally:
        os.close(memory)


async def test_many_half_sent_heads_leave_room_for_others():
    """Of 1,100 connections of one client only its share stays open.

    Another client is answered meanwhile.
    """
    async with serving(NEWSINTEL_HEAD_TIMEOUT_S="1000") as served:
        before, streams = held(), []

        async def half():
            stream = await trio.open_tcp_stream("127.0.0.1", served.port, local_address="127.0.0.7")
            streams.append(stream)
            with suppress(trio.BrokenResourceError):  # refused already
                await stream.send_all(b"GET /health HTTP/1.1\r\nHost: loc")

        for _ in range(11):
            async with trio.open_nursery() as nursery:
                for _ in range(100):
                    nursery.start_soon(half)
        assert await served.status(get("/health")) == 200
        refused = 1100 - served.world.settings.max_connections_per_address
        # The last connections may still wait to be accepted.
        while served.counted("connections_refused", limit="address") < refused:  # noqa: ASYNC110
            await trio.sleep(0.01)
        assert served.counted("connections_refused", limit="address") == refused
        for stream in streams:
            await stream.aclose()
        await back_to(before)


async def test_a_silent_connection_is_closed_without_an_answer():
    """A connection without a request gets no 408.

    A browser that opened it in advance would take the 408 for its next answer.
    """
    async with serving(NEWSINTEL_HEAD_TIMEOUT_S="0.2") as served:
        assert await until_closed(await served.open()) == b""


async def test_an_idle_connection_outlives_the_head_timeout():
    """After an answer it may be idle for KEEP_ALIVE_S, which a load balancer needs."""
    async with serving(NEWSINTEL_HEAD_TIMEOUT_S="0.1") as served:
        stream = await served.open()
        for _ in range(2):
            await stream.send_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")
            await trio.sleep(0.3)


async def test_an_idle_connection_is_closed_after_keep_alive_s(monkeypatch):
    """The time counts from the last answer."""
    monkeypatch.setattr(connection, "KEEP_ALIVE_S", 0.2)
    async with serving() as served:
        stream = await served.open()
        await stream.send_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await until_closed(stream)).count(b"HTTP/1.1 ") == 1
        assert served.counted("connections_cut", reason="next_timeout") == 1


async def test_a_body_that_arrives_too_slowly_is_cut(monkeypatch):
    """It is cut BODY_TIMEOUT_S after its head, whatever the application does.

    This application reads to the end and never answers.
    """
    monkeypatch.setattr(connection, "BODY_TIMEOUT_S", 0.3)
    never = trio.Event()

    async def app(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass
        never.set()

    async with serving(app=app) as served:
        stream = await served.open()
        await stream.send_all(get("/body", "Content-Length: 9", method="PUT") + b"a")
        assert (await until_closed(stream)).startswith(b"HTTP/1.1 408 ")
        await never.wait()
        assert served.counted("connections_cut", reason="body_timeout") == 1


@pytest.mark.parametrize("target", ["/health", "/articles?q=a", "/nothing"])
async def test_an_answer_before_the_body_releases_the_connection(target):
    """The number of body chunks and the point at which the client leaves do not matter.

    After 30 such connections the process holds no more than before.
    """
    head = (
        b"GET "
        + target.encode()
        + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    async with serving() as served:
        await served.exchange(get("/articles?q=a"))  # so that the search is a hit
        before = held()
        for chunks in range(30):
            stream = await trio.open_tcp_stream("127.0.0.1", served.port)
            try:
                await stream.send_all(head)
                for _ in range(chunks):
                    await stream.send_all(CHUNK)
            except trio.BrokenResourceError:
                pass  # the server closed it after the answer
            await stream.aclose()
        await back_to(before)
        assert served.counted("connection_errors") == 0


async def test_an_answer_reaches_a_client_that_goes_on_sending(monkeypatch):
    """Closing while bytes arrive would reset the connection, which can destroy the answer.

    See RFC 9112, 9.6.
    """
    monkeypatch.setattr(connection, "LINGER_S", PATIENCE_S)
    head = b"PUT /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    async with serving() as served, await trio.open_tcp_stream("127.0.0.1", served.port) as stream:
        await stream.send_all(head)
        answer = await stream.receive_some()
        for _ in range(20):
            await stream.send_all(b"x" * 4096)
            # A close would cause a reset, which must arrive before the next part is sent.
            await trio.sleep(0.01)
        await stream.send_eof()
        async for chunk in stream:
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 4")
    assert answer.endswith(b"}")


async def test_a_client_that_leaves_after_its_answer_is_released():
    """curl does this: it ends while its connection is kept alive."""
    async with serving() as served:
        before = held()
        for _ in range(50):
            stream = await trio.open_tcp_stream("127.0.0.1", served.port)
            await stream.send_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await stream.receive_some()
            await stream.aclose()
        await back_to(before)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--http2-prior-knowledge",),
        ("--http2",),
        ("-X", "POST", "-d", "x" * 100_000),
        ("-I",),
        ("-0",),
    ],
)
async def test_curl_leaves_nothing_behind(options):
    """Whatever protocol curl speaks, the next plain request is answered."""
    async with serving() as served:
        before = held()
        for target in ("/articles?q=a", "/health"):
            await trio.run_process(
                ["curl", "-s", "-m", "20", *options, served.url + target],
                capture_stdout=True,
                check=False,
            )
        plain = await trio.run_process(
            ["curl", "-sf", "-m", "20", served.url + "/health"], capture_stdout=True
        )
        assert b'"status"' in plain.stdout
        await back_to(before)


async def test_a_client_that_reads_too_slowly_is_cut(monkeypatch):
    """Sending one part of an answer may take SEND_TIMEOUT_S."""
    monkeypatch.setattr(connection, "SEND_TIMEOUT_S", 0.3)

    def with_a_flood(app):
        async def flood():
            return Response(b"x" * 32_000_000)

        app.add_url_rule("/flood", view_func=handle_errors(flood))

    async with serving(prepare=with_a_flood) as served:
        stream = await served.open()
        before = held()
        await stream.send_all(get("/flood"))
        await stream.receive_some(1)
        await back_to(before)
        assert served.counted("connections_cut", reason="send_timeout") == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_answered_request_is_measured_once(method):
    """The client closes as soon as it has the answer, with or without a reset.

    The request still counts as answered.
    """
    async with serving() as served:
        before = held()
        for number in range(100):
            stream = await trio.open_tcp_stream("127.0.0.1", served.port)
            await stream.send_all(
                f"{method} /articles?q=a{number % 3} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            )
            answer = await stream.receive_some()
            while b"\r\n\r\n" not in answer or (method == "GET" and not answer.endswith(b"}")):
                answer += await stream.receive_some()
            if number % 2:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await stream.aclose()
        await back_to(before)
        sample = partial(
            served.world.metrics.registry.get_sample_value, "newsintel_http_request_seconds_count"
        )
        assert sample({"route": "/articles", "status": "2xx"}) == 100
        assert sample({"route": "/articles", "status": "none"}) is None


@pytest.mark.slow
async def test_the_gauge_counts_open_connections():
    """It counts those on the public port."""
    async with serving() as served:
        for _ in range(3):
            await (await served.open()).send_all(b"GET")
        await served.exchange(get("/health"))
        await served.exchange(get("/health"))
        samples = read_samples(served.world.metrics)
        assert samples["newsintel_connections", ()] >= 3


def test_the_limit_of_descriptors_is_raised_to_what_the_system_allows():
    """If the limit is still too low for MAX_CONNECTIONS, the server accepts fewer and logs it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(512, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
    try:
        assert server._find_capacity(100) == 100
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
        with capture_logs() as lines:
            assert server._find_capacity(hard) == hard - server.RESERVED_DESCRIPTORS
        assert [line["event"] for line in lines] == ["fewer_connections"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
