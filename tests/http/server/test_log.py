"""The server's log: one line per request, with countable fields and without private data."""

import io
import json
import logging
from contextlib import contextmanager

import httpx
import pytest
import structlog
import trio
from structlog.testing import capture_logs

from newsintel.errors import DeniedError, FlightBugError, UnavailableError
from newsintel.http.middleware.envelope import Envelope
from newsintel.http.response.problems import PROBLEMS
from newsintel.http.server import log as server_log
from newsintel.http.server.log import build_access_fields
from newsintel.runtime.telemetry.logs import set_up_logging
from tests.fakes.accounts import browser, program
from tests.http import wire
from tests.http.server.test_listener import exchange, get, parsed, serving
from tests.http.world import Desk, World, settings


@contextmanager
def requests_logged():
    """Collect the log lines of requests; `ms` becomes whether it is present."""
    found, logger = [], logging.getLogger("newsintel.http.server.log")
    logger.setLevel(logging.INFO)
    with capture_logs() as logs:
        yield found
    logger.setLevel(logging.NOTSET)
    found += [line | {"ms": "ms" in line} for line in logs if line["event"] == "request"]


async def test_one_line_for_each_request():
    """It has method, path, route, status, bytes, client and id.

    The path stays percent-encoded, and the query is left out.
    """
    plain = {"Accept-Encoding": "identity"}  # so `answer.content` is what was sent
    with requests_logged() as lines:
        async with (
            serving() as served,
            httpx.AsyncClient(base_url=served.url, headers=plain) as client,
        ):
            answer = await client.get("/articles?q=secret", headers={"X-Request-Id": "id-1"})
            missing = await client.get("/a%0Ab", headers={"X-Request-Id": "id-2"})
            await client.head("/articles?q=secret", headers={"X-Request-Id": "id-3"})
            await client.get("/health")  # same connection, so the lines before it are written
    common = {"event": "request", "log_level": "info", "client": "anonymous", "ms": True}
    assert lines[:3] == [
        common
        | {
            "method": "GET",
            "path": "/articles",
            "route": "/articles",
            "status": 200,
            "bytes": len(answer.content),
            "request_id": "id-1",
        },
        common
        | {
            "method": "GET",
            "path": "/a%0Ab",
            "route": "other",
            "status": 404,
            "bytes": len(missing.content),
            "request_id": "id-2",
        }
        | {"problem": "not_found"},
        common
        | {
            "method": "HEAD",
            "path": "/articles",
            "route": "/articles",
            "status": 200,
            "bytes": 0,
            "request_id": "id-3",
        },
    ]
    assert "secret" not in str(lines)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("GET /articles?q=Zürich HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), "bad_request"),
        (b"GET /articles?q=secret HTTP/1.1\r\n\r\n", "bad_request"),
        (
            b"GET /articles?q=secret HTTP/1.1\r\nHost: localhost\r\nX: "
            + b"x" * 20_000
            + b"\r\n\r\n",
            "headers_too_large",
        ),
        (b"GET /articles?q=secret HTTP/2.0\r\nHost: localhost\r\n\r\n", "version_not_supported"),
    ],
)
async def test_an_invalid_request_is_logged_with_the_id_of_its_answer(data, problem):
    """An operator can find it by the id that the client got; the line has nothing that was sent."""
    logger = logging.getLogger("newsintel.http.server.log")
    logger.setLevel(logging.INFO)
    with capture_logs() as logs:
        async with serving() as served:
            _, headers, body = parsed(await exchange(served, data))
    logger.setLevel(logging.NOTSET)
    assert json.loads(body)["code"] == problem
    line = {
        "event": "request_refused",
        "log_level": "info",
        "problem": problem,
        "request_id": headers["x-request-id"],
    }
    assert [one for one in logs if one["event"].startswith("request")] == [line]


@pytest.mark.parametrize(
    ("method", "target"), [("GET", "/sources"), ("POST", "/sources"), ("PUT", "/me/saved/a_x")]
)
async def test_a_request_refused_in_its_body_is_logged_as_the_client_saw_it(method, target):
    """The application answers such a request too, but nobody is sent its answer."""
    data = (
        f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: id-1\r\n"
        "Transfer-Encoding: chunked\r\n\r\nno size\r\n"
    )
    world = World()
    with requests_logged() as lines:
        async with serving(world) as served:
            status, headers, shown = parsed(await exchange(served, data.encode()))
    assert json.loads(shown)["code"] == "bad_request"
    assert (headers["x-request-id"], json.loads(shown)["request_id"]) == ("id-1", "id-1")
    assert [
        (line["status"], line["problem"], line["bytes"], line["request_id"]) for line in lines
    ] == [(status, "bad_request", len(shown), "id-1")]
    measured = [
        (sample.labels["status"], sample.value)
        for family in world.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "newsintel_http_request_seconds_count"
    ]
    assert measured == [("4xx", 1)]


async def test_the_body_that_answers_no_head_is_not_counted():
    """An application may give the body to a HEAD; the server does not send it."""

    async def app(_scope, _receive, send):
        head = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"{}", "more_body": False})

    with requests_logged() as lines:
        async with wire.serving(app=app) as served:
            for method in ("HEAD", "GET"):
                await served.exchange(get("/metrics", method=method))
    assert [(line["method"], line["bytes"]) for line in lines] == [("HEAD", 0), ("GET", 2)]


async def test_a_client_that_leaves_before_a_write_is_answered_is_logged_without_a_status():
    """The write is carried out, but its answer is not sent."""
    left = trio.Event()

    async def app(_scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()
        head = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 201, "headers": head})
        await send({"type": "http.response.body", "body": b"{}", "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    with requests_logged() as lines:
        async with wire.serving(app=app) as served:
            leaver = await served.open()
            await leaver.send_all(get("/sources"))
            await leaver.aclose()
            await left.wait()
    assert [(line["status"], line["bytes"]) for line in lines] == [(None, 0)]


async def test_hit_is_logged_like_a_miss():
    """An answer of the hit path has the same fields."""
    with requests_logged() as lines:
        async with serving() as served, httpx.AsyncClient(base_url=served.url) as client:
            for number in (1, 2):
                await client.get("/articles?q=a", headers={"X-Request-Id": f"id-{number}"})
            await client.get("/health")
    miss, hit = (dict(line) for line in lines[:2])
    assert miss | {"request_id": ""} == hit | {"request_id": ""}


async def test_log_line_says_how_the_client_identified_itself():
    """The values are `session`, `key`, `bad_key`, `unknown` (a store failed) and `anonymous`.

    `-` means that the request was not identified.
    """
    world = World()
    session, key = await browser(world), await program(world)
    bad = {"Authorization": "Bearer ni_" + "x" * 43}
    with requests_logged() as lines:
        async with serving(world) as served, httpx.AsyncClient(base_url=served.url) as client:
            for headers in ({}, session, key, bad):
                await client.get("/sources", headers=headers)
            world.sessions.away = True
            await client.get("/sources", headers=session)
            await client.get("/sources", headers={"Host": "evil.test"})
            await client.get("/health")
    assert [line["client"] for line in lines[:6]] == [
        "anonymous",
        "session",
        "key",
        "bad_key",
        "unknown",
        "-",
    ]


async def test_client_that_leaves_is_logged_without_a_status():
    """It got no answer."""
    world = World(desk=Desk(open=trio.Event()))
    with requests_logged() as lines:
        async with serving(world) as served:
            leaver = await served.open()
            await leaver.send_all(get("/articles?q=a"))
            await world.desk.arrived.wait()
            await leaver.aclose()
            await world.desk.left.wait()
    assert [(line["path"], line["status"]) for line in lines] == [("/articles", None)]


def test_a_request_that_was_not_processed_has_default_fields():
    """The server answered before the application, so there is no route, client or id."""
    scope = {"method": "GET", "raw_path": b"/\xff", "state": {}}
    assert build_access_fields(scope, 400, 0, 0.0012) == {
        "method": "GET",
        "path": "/\ufffd",
        "route": "other",
        "status": 400,
        "ms": 1.2,
        "bytes": 0,
        "client": "-",
        "request_id": None,
    }


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/" + "a" * 1_999, "/" + "a" * 1_999),
        ("/" + "a" * 2_000, "/..."),
        ("/me/saved/" + "a" * 2_000, "/me/saved/..."),
        ("/a" * 1_500, "/a" * 999 + "/..."),
    ],
)
def test_a_long_path_is_cut_at_a_slash(path, shown):
    """A secret that is cut in two would not be recognised and redacted."""
    fields = build_access_fields(
        {"method": "GET", "raw_path": path.encode(), "state": {}}, 404, 0, 0.0
    )
    assert fields["path"] == shown


RAISED = [
    (UnavailableError("PostgreSQL is unavailable"), "request_failed", "archive_timeout"),
    (DeniedError("insufficient_scope", "no"), "request_denied", "insufficient_scope"),
    (FlightBugError("0011"), "request_failed", "internal"),
    (ZeroDivisionError("bug"), "request_bug", "internal"),
]


@pytest.fixture
def written():
    """Return a function that reads the lines which the log wrote."""
    stream = io.StringIO()
    set_up_logging(settings(NEWSINTEL_LOG_FORMAT="json", NEWSINTEL_LOG_LEVEL="debug"))
    logging.getLogger().handlers[0].setStream(stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(("error", "event", "code"), RAISED)
async def test_every_log_line_of_a_request_has_its_request_id(written, error, event, code):
    """/problems/internal promises that the id in a 500 leads to its cause in the log."""
    async with serving(World(desk=Desk(raises=error))) as served:
        status, headers, body = parsed(
            await exchange(served, get("/articles?q=a", "X-Request-Id: abc-1"))
        )
    problem = json.loads(body)
    assert (problem["request_id"], headers["x-request-id"], problem["code"]) == (
        "abc-1",
        "abc-1",
        code,
    )
    lines = [line for line in written() if line["logger"].startswith("newsintel.http")]
    assert {line["event"] for line in lines} == {event, "request"}
    assert {line["request_id"] for line in lines} == {"abc-1"}
    assert status == PROBLEMS[code].status
    if event == "request_bug":
        assert "ZeroDivisionError: bug" in next(
            line["exception"] for line in lines if "exception" in line
        )
    assert "under the request_id" in PROBLEMS["internal"].meaning


async def test_concurrent_requests_keep_their_own_ids(written):
    """Each runs in a task of its own, so the ids of two connections never mix."""
    gate = trio.Event()
    world = World(desk=Desk(open=gate))
    log = structlog.get_logger("newsintel.http.test")

    def made_by(query):
        log.info("made", q=query.text)
        return real(query)

    real, world.desk.made_by = world.desk.made_by, made_by
    async with (
        serving(world) as served,
        httpx.AsyncClient(base_url=served.url) as client,
        trio.open_nursery() as nursery,
    ):

        async def ask(name):
            await client.get(f"/articles?q={name}", headers={"X-Request-Id": f"id-{name}"})

        for name in ("a", "b", "c"):
            nursery.start_soon(ask, name)
        while len(world.desk.asked) < 3:  # noqa: ASYNC110 - the desk signals only the first search
            await trio.sleep(0.01)
        gate.set()
    made = {line["q"]: line["request_id"] for line in written() if line["event"] == "made"}
    assert made == {name: f"id-{name}" for name in ("a", "b", "c")}


async def test_an_answer_without_a_body_has_no_content_headers():
    """A 204 must have no Content-Length and no Content-Type (RFC 9110, 8.6).

    This holds on the wire, whichever part of the service made the answer.
    """
    world = World(settings=settings(NEWSINTEL_CORS_ORIGINS="https://app.example.org"))
    preflight = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "GET"}
    async with (
        serving(world, NEWSINTEL_CORS_ORIGINS="https://app.example.org") as served,
        httpx.AsyncClient(base_url=served.url) as client,
    ):
        for method, path, headers in (
            ("POST", "/auth/logout", {"Origin": "http://localhost:0"}),
            ("OPTIONS", "/sources", preflight),
        ):
            response = await client.request(method, path, headers=headers)
            assert (response.status_code, response.content) == (204, b"")
            assert not {"content-length", "content-type", "transfer-encoding"} & set(
                response.headers
            ), path
        assert (await client.get("/health")).status_code == 200  # the connection goes on


@pytest.mark.parametrize(("status", "kept"), [(200, 3), (204, 1), (304, 3)])
async def test_envelope_removes_the_content_headers_of_a_204(status, kept):
    """The names may be in any case; other answers keep their headers."""

    async def app(_scope, _receive, send):
        headers = [(b"content-type", b"text/html"), (b"Content-Length", b"0"), (b"x-mine", b"1")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    sent = []

    async def send(message):
        sent.append(message)

    await Envelope(app, settings())({"type": "http", "headers": []}, None, send)
    assert (
        len(
            [
                name
                for name, _ in sent[0]["headers"]
                if name in (b"content-type", b"Content-Length", b"x-mine")
            ]
        )
        == kept
    )


async def test_a_line_below_the_log_level_is_not_built(monkeypatch):
    """With LOG_LEVEL=warning a request only asks once whether its line is wanted."""
    monkeypatch.setattr(server_log, "build_access_fields", None)
    logging.getLogger("newsintel.http.server.log").setLevel(logging.WARNING)
    try:
        async with serving() as served, httpx.AsyncClient(base_url=served.url) as client:
            for _ in range(2):
                assert (await client.get("/articles?q=a")).status_code == 200
    finally:
        logging.getLogger("newsintel.http.server.log").setLevel(logging.NOTSET)
