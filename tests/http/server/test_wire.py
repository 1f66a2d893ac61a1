"""The wire path on a connection: what it may answer, timers, limits, the log and the shutdown."""

import logging
from collections.abc import Callable
from datetime import timedelta

import h11
import pytest
import trio
import trio.testing
from attrs import define
from structlog.testing import capture_logs

from newsintel.http.middleware import envelope, wire_path
from newsintel.http.middleware.envelope import DENY_ALL_POLICY, assign_request_id
from newsintel.http.pages.assets import ASSETS
from newsintel.http.pages.rendering import CONTENT_POLICY
from newsintel.http.server.connection import KEEP_ALIVE_S, SEND_TIMEOUT_S
from tests.http.middleware.test_rate_limits import limited
from tests.http.response.test_kept_answer import KEPT, SIMILAR
from tests.http.server.memory import serving_in_memory
from tests.http.server.odd_requests import PATHS
from tests.http.wire import get, serving
from tests.http.world import NOW, Desk, World
from tests.samples import read_counter

SEARCH = b"/articles?q=a"
MOVING = {b"age", b"cache-status", b"server-timing", b"x-accel-expires", b"x-request-id", b"date"}
"""Headers that tell of the moment."""


def ask(path=SEARCH, *lines, method=b"GET"):
    """Return a plain request."""
    fields = b"".join(line + b"\r\n" for line in lines)
    return method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n"


@define
class Broken:
    """A function that raises at its first call, or at each if there is no right one."""

    right: Callable | None
    calls: int = 0

    def __call__(self, *given):
        self.calls += 1
        if self.right is None or self.calls == 1:
            raise ZeroDivisionError("a bug")
        return self.right(*given)


def parse(data, method="GET"):
    """Return status, headers and body of one response, as h11 reads it; nothing may follow."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "localhost")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    response, body = client.next_event(), b""
    assert isinstance(response, h11.Response)
    while isinstance(event := client.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert client.trailing_data == (b"", False)
    return response.status_code, dict(response.headers), body


async def test_a_repeat_is_answered_before_the_parser(mock_clock):
    """Only the first request of a search reaches the application; then nothing is parsed."""
    async with serving_in_memory() as service:
        client = service.connect()
        miss = parse(await client.send(ask()))
        assert service.at_once == []
        hit = parse(await client.send(ask()))
        assert service.at_once == [200]
        assert (hit[0], hit[2]) == (200, miss[2])
        assert hit[1][b"cache-status"] == b"newsintel; hit; ttl=300"


@pytest.mark.parametrize(
    "path", [b"/health", b"/openapi.json", b"/docs", ASSETS["page.css"].path.encode()]
)
async def test_what_never_changes_is_answered_before_the_parser(mock_clock, path):
    """GET and HEAD of health, files and the description, from the first request on."""
    async with serving_in_memory() as service:
        client = service.connect()
        status, headers, body = parse(await client.send(ask(path)))
        head = parse(await client.send(ask(path, method=b"HEAD")), "HEAD")
        assert service.at_once == [200, 200]
        assert (status, head[0], head[2]) == (200, 200, b"")
        assert int(head[1][b"content-length"]) == len(body) == int(headers[b"content-length"])


@pytest.mark.parametrize("path", [path.encode() for path in KEPT if path != SIMILAR])
async def test_what_a_route_gave_is_answered_before_the_parser_for_seconds(mock_clock, path):
    """Log and metrics name the route that gave it."""
    world = World()
    async with serving_in_memory(world) as service:
        client = service.connect()
        first = parse(await client.send(ask(path)))
        assert service.at_once == []
        again = parse(await client.send(ask(path)))
        assert service.at_once == [200]
        assert (again[0], again[2]) == (200, first[2])
        world.now = NOW + timedelta(seconds=KEPT[path.decode()])
        await client.send(ask(path))
        assert service.at_once == [200]
        count, route = world.metrics.registry.get_sample_value, path.decode().partition("?")[0]
        labels = {"route": route, "status": "2xx"}
        assert count("newsintel_http_request_seconds_count", labels) == 3


@pytest.mark.parametrize("path", PATHS)
async def test_a_repeat_has_the_headers_of_the_first_answer(mock_clock, path):
    """Among them a page's own security policy, without which a browser shows it without style."""
    async with serving_in_memory() as service:
        client, answers = service.connect(), []
        for _ in range(2):
            status, headers, body = parse(await client.send(ask(path)))
            fixed = {name: value for name, value in headers.items() if name not in MOVING}
            answers.append((status, fixed, body))
        assert service.at_once[-1] == 200
        assert answers[0] == answers[1]
        is_page = headers[b"content-type"].startswith(b"text/html")
        policy = CONTENT_POLICY if is_page else DENY_ALL_POLICY
        assert headers[b"content-security-policy"] == policy


NOT_AT_ONCE = {
    "a cookie": ask(SEARCH, b"Cookie: a=b"),
    "a key": ask(SEARCH, b"Authorization: Bearer ni_wrong"),
    "the end of the connection": ask(SEARCH, b"Connection: close"),
    "a length": ask(SEARCH, b"Content-Length: 0"),
    "another host": ask(SEARCH).replace(b"localhost", b"evil.test"),
    "two requests": ask() * 2,
    "another search": ask(b"/articles?q=b"),
    "another route": ask(b"/sources"),
    "a parameter of health": ask(b"/health?x=1"),
    "another method": ask(method=b"OPTIONS"),
    "half a request": ask()[:-1],
}


@pytest.mark.parametrize("data", NOT_AT_ONCE.values(), ids=NOT_AT_ONCE)
async def test_everything_else_is_left_to_the_parser(mock_clock, data):
    """Even while the answer is in memory."""
    async with serving_in_memory() as service:
        client = service.connect()
        await client.send(ask())
        await client.send(data)
        assert service.at_once == []


async def test_an_old_answer_is_left_to_the_parser(mock_clock):
    """There the desk decides, and may renew the answer while the old one is served."""
    world = World(desk=Desk(renews=True))
    async with serving_in_memory(world) as service:
        client = service.connect()
        await client.send(ask())
        world.now = NOW + timedelta(seconds=299.9)
        assert parse(await client.send(ask()))[1][b"age"] == b"299"
        assert service.at_once == [200]
        world.now = NOW + timedelta(seconds=300)
        assert parse(await client.send(ask()))[1][b"cache-status"] == b"newsintel; hit; ttl=0"
        assert (service.at_once, len(world.desk.renewed)) == ([200], 1)
        world.now = NOW - timedelta(days=1)  # the clock was set back: the age is unknown
        await client.send(ask())
        assert service.at_once == [200]


async def test_each_request_counts_against_the_limit(mock_clock):
    """A leased call is taken at once; the parser's side refills the lease and refuses."""
    world = limited(calls=40)
    async with serving_in_memory(world) as service:
        client, left = service.connect(), []
        for _ in range(41):
            status, headers, _ = parse(await client.send(ask()))
            left.append((status, headers[b"ratelimit"]))
        assert left == [
            *((200, b'"search";r=%d;t=60' % number) for number in range(39, -1, -1)),
            (429, b'"search";r=0;t=60'),
        ]
        assert 25 < len(service.at_once) < 40
        other = service.connect("192.0.2.2")
        assert parse(await other.send(ask()))[0] == 200


async def test_hits_are_counted_and_recorded_once_a_minute(mock_clock):
    """The history and the metrics cannot tell the ways apart."""
    world = World()
    async with serving_in_memory(world) as service:
        client = service.connect()
        for seconds in (0, 1, 59, 60, 61):
            world.now = NOW + timedelta(seconds=seconds)
            if seconds != 60:  # a HEAD and a 304 at this time are no searches
                await client.send(ask())
            await client.send(ask(SEARCH, b"If-None-Match: *"))
            await client.send(ask(method=b"HEAD"))
        assert service.at_once.count(304) == 5
        records = [world.inbox[1].receive_nowait() for _ in range(2)]
        assert [one.searched_at - NOW for one in records] == [timedelta(0), timedelta(seconds=61)]
        assert world.inbox[1].statistics().current_buffer_used == 0
        assert read_counter(world.metrics, "searches", via="hit") == 13
        count = world.metrics.registry.get_sample_value
        name = "newsintel_http_request_seconds_count"
        assert count(name, {"route": "/articles", "status": "2xx"}) == 9
        assert count(name, {"route": "/articles", "status": "3xx"}) == 5


async def test_the_access_log_has_each_request(mock_clock, caplog):
    """The line is the same as on the other way but for time and id."""
    caplog.set_level(logging.INFO, "newsintel.http.server.log")
    with capture_logs() as lines:
        async with serving_in_memory() as service:
            client = service.connect()
            for number in range(2):
                await client.send(ask(SEARCH, b"X-Request-Id: id-%d" % number))
    first, second = [line for line in lines if line["event"] == "request"]
    assert service.at_once == [200]
    assert (first["request_id"], second["request_id"]) == ("id-0", "id-1")
    assert second | {"ms": 0, "request_id": ""} == first | {"ms": 0, "request_id": ""}


async def test_the_idle_time_starts_with_each_answer(mock_clock):
    """The connection is closed KEEP_ALIVE_S after the last answer, not after the first."""
    async with serving_in_memory() as service:
        client = service.connect()
        for _ in range(4):
            assert parse(await client.send(ask(b"/health")))[0] == 200
            mock_clock.jump(KEEP_ALIVE_S - 1)
            await client.read()
            assert not client.closed
        assert service.at_once == [200] * 4
        mock_clock.jump(2)
        assert (await client.read(), client.closed) == (b"", True)
        assert read_counter(service.world.metrics, "connections_cut", reason="next_timeout") == 1


async def test_both_ways_share_one_limit_of_requests_on_a_connection(mock_clock):
    """The last response announces the close, whichever way the others went."""
    async with serving_in_memory() as service:
        service.parts.config.keep_alive_max_requests = 10
        client = service.connect()
        for number in range(9):
            path = b"/nothing" if number % 3 == 0 else b"/health"
            assert b"connection" not in parse(await client.send(ask(path)))[1]
        assert len(service.at_once) == 6
        assert parse(await client.send(ask(b"/health")))[1][b"connection"] == b"close"
        assert client.closed


async def test_at_shutdown_an_idle_connection_is_closed(mock_clock):
    """Also one that was only used without the parser."""
    async with serving_in_memory() as service:
        client = service.connect()
        await client.send(ask(b"/health"))
        await service.shut_down()
        assert (await client.read(), client.closed) == (b"", True)


async def test_a_request_that_arrives_as_the_connection_ends_is_not_answered(mock_clock):
    """The parser ignores it too: nothing is sent, counted or logged."""
    async with serving_in_memory() as service:
        client = service.connect()
        await client.send(ask(b"/health"))
        client.stream.receive_stream.put_data(ask(b"/health"))
        service.connections.drain()
        assert (await client.read(), client.closed) == (b"", True)
        assert service.at_once == [200]


async def test_a_connection_that_comes_during_the_shutdown_gets_one_answer(mock_clock):
    """Its response announces the close."""
    async with serving_in_memory() as service:
        await service.shut_down()
        client = service.connect()
        assert parse(await client.send(ask(b"/health")))[1][b"connection"] == b"close"
        assert client.closed


async def test_at_shutdown_an_answer_on_its_way_is_sent(mock_clock):
    """The client gets all of it; then the connection closes."""
    may_go = trio.Event()
    async with serving_in_memory() as service:
        client = service.connect()
        client.stream.send_stream.send_all_hook = may_go.wait
        assert await client.send(ask(b"/openapi.json")) != b""  # the hook runs after the bytes
        await service.shut_down()
        await client.read()
        assert not client.closed
        may_go.set()
        await client.read()
        assert client.closed
        assert read_counter(service.world.metrics, "connection_errors") == 0


async def test_a_client_that_does_not_read_is_cut(mock_clock):
    """A part of a response may take SEND_TIMEOUT_S."""
    async with serving_in_memory() as service:
        client = service.connect()
        client.stream.send_stream.send_all_hook = trio.sleep_forever
        await client.send(ask(b"/health"))
        mock_clock.jump(SEND_TIMEOUT_S + 1)
        await client.read()
        assert client.closed
        assert read_counter(service.world.metrics, "connections_cut", reason="send_timeout") == 1


async def break_off():
    """Fail as a socket whose client has reset the connection."""
    raise trio.BrokenResourceError


@pytest.mark.parametrize("wire", [True, False])
@pytest.mark.parametrize("path", [b"/health", b"/openapi.json"])  # one piece, and two
@pytest.mark.parametrize("fail", [break_off, trio.sleep_forever])
async def test_an_answer_that_cannot_be_sent_has_no_status(mock_clock, caplog, fail, path, wire):
    """The client breaks off, or reads nothing: the log must not say that it was answered."""
    caplog.set_level(logging.INFO, "newsintel.http.server.log")
    with capture_logs() as lines:
        async with serving_in_memory(wire=wire) as service:
            client = service.connect()
            length = len(parse(await client.send(ask(path)))[2])
            client.stream.send_stream.send_all_hook = fail
            await client.send(ask(path))
            mock_clock.jump(SEND_TIMEOUT_S + 1)
            await client.read()
            assert client.closed
            assert service.at_once == ([200, 200] if wire else [])
    found = [(one["status"], one["bytes"]) for one in lines if one["event"] == "request"]
    assert found == [(200, length), (None, 0)]
    count = service.world.metrics.registry.get_sample_value
    labels = {"route": path.decode(), "status": "none"}
    assert count("newsintel_http_request_seconds_count", labels) == 1


async def test_a_request_whose_answer_is_cancelled_has_no_status(mock_clock, caplog):
    """The server ends while the client reads: the log must not say that it was answered."""
    caplog.set_level(logging.INFO, "newsintel.http.server.log")
    with capture_logs() as lines:
        async with serving_in_memory() as service:
            client = service.connect()
            client.stream.send_stream.send_all_hook = trio.sleep_forever
            await client.send(ask(b"/health"))
    assert [(one["status"], one["bytes"]) for one in lines if one["event"] == "request"] == [
        (None, 0)
    ]


async def test_a_bug_before_the_parser_does_not_end_the_connection(mock_clock, monkeypatch):
    """It is logged with its cause, and the parser answers. A bug of both ways is a 500."""
    async with serving_in_memory() as service:
        client = service.connect()
        parse(await client.send(ask()))
        broken = Broken(assign_request_id)
        for way in (wire_path, envelope):
            monkeypatch.setattr(way, "assign_request_id", broken)
        with capture_logs() as logs:
            assert parse(await client.send(ask()))[0] == 200
        assert broken.calls == 2
        assert [line["causes"] for line in logs if line["event"] == "application_failed"] == [
            ["ZeroDivisionError('a bug')"]
        ]
        for way in (wire_path, envelope):
            monkeypatch.setattr(way, "assign_request_id", Broken(None))
        assert parse(await client.send(ask()))[0] == 500
    assert read_counter(service.world.metrics, "connection_errors") == 0


async def test_without_finished_answers_everything_is_parsed():
    """The listener of the metrics has no wire path."""
    async with serving(wire=False) as served:
        assert await served.status(get("/health")) == 200


async def test_over_a_socket_both_ways_share_a_connection():
    """A real socket: finished, parsed and finished answers by turns."""
    async with serving() as served:
        stream = await served.open()
        for path in (b"/health", b"/sources", b"/health", b"/nothing", b"/openapi.json"):
            await stream.send_all(ask(path))
            data = await stream.receive_some()
            while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < length_of(data):
                data += await stream.receive_some()
            assert parse(data)[0] == (404 if path == b"/nothing" else 200)


def length_of(data):
    """Return a response's Content-Length."""
    return int(data.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
