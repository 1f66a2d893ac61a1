"""GET /metrics: access on the public port, and the separate listener."""

from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest
import trio
from attrs import evolve
from structlog.testing import capture_logs

from newsintel.config.values import ListenAddress
from newsintel.errors import MetricsUnavailableError
from newsintel.http.application import create_app
from newsintel.http.routes.metrics import MetricsListener
from newsintel.http.server.listener import serve_http
from newsintel.runtime.telemetry import scraping
from tests.config.test_settings import PRODUCTION
from tests.http.server.test_listener import serving
from tests.http.world import Desk, World, settings
from tests.samples import read_counter, read_samples
from tests.waiting import PATIENCE_S, until

TOKEN = "t0ken-of-the-collector"


async def status(headers=None, **environ):
    """Return the status on the public port."""
    world = World(settings=settings(**environ))
    host = {"Host": "news.example"} if "NEWSINTEL_ENV" in environ else {}
    response = (
        await create_app(world.services)
        .test_client()
        .get("/metrics", headers={**host, **(headers or {})})
    )
    assert (b"newsintel_outcomes" in await response.get_data()) == (response.status_code == 200)
    return response.status_code


@pytest.mark.parametrize("environ", [{}, PRODUCTION], ids=["development", "production"])
@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN}", 200),
        (None, 404),
        ("Bearer ", 404),
        (f"Bearer {TOKEN[:-1]}", 404),
        (f"Bearer {TOKEN}x", 404),
        (f"Basic {TOKEN}", 404),
        (TOKEN, 404),
        ("Bearer tökén", 404),
    ],
)
async def test_with_a_token_set_only_its_holder_reads_metrics(environ, authorization, expected):
    """In every environment, a request without it gets a 404."""
    headers = {} if authorization is None else {"Authorization": authorization}
    assert await status(headers, NEWSINTEL_METRICS_TOKEN=TOKEN, **environ) == expected


async def test_without_a_token_metrics_are_open_in_development_alone():
    """In production the route is a 404, whatever is sent."""
    assert await status() == 200
    assert await status(**PRODUCTION) == 404
    assert await status({"Authorization": "Bearer "}, **PRODUCTION) == 404


async def test_metrics_are_in_prometheus_text_format():
    """Caches must not keep them; a counter shows its value."""
    world = World()
    world.metrics.count("dead_letters")
    response = await create_app(world.services).test_client().get("/metrics")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert b"newsintel_dead_letters_total 1.0" in await response.get_data()


@asynccontextmanager
async def serve_metrics(exposition, world):
    """Run the separate listener on a free port until the block ends; its URL."""
    shutdown = trio.Event()
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            listen = partial(
                serve_http, MetricsListener(exposition), world.settings, shutdown=shutdown
            )
            (url,) = await nursery.start(
                partial(listen, metrics=world.metrics, bind=ListenAddress("127.0.0.1", 0))
            )
            yield url
            shutdown.set()


async def test_metrics_listener_serves_metrics_alone():
    """It answers any host without a token, only GET and HEAD; it ends with the service."""
    world = World()
    exposition = partial(scraping.format_exposition, world.metrics)
    async with (
        serve_metrics(exposition, world) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        full = await client.get("/metrics", headers={"Host": "10.0.0.7:9000"})
        head = await client.head("/metrics")
        assert (full.status_code, head.status_code, head.content) == (200, 200, b"")
        assert "newsintel_outcomes" in full.text
        assert full.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        for method, path in (("GET", "/"), ("GET", "/articles"), ("POST", "/metrics")):
            assert (await client.request(method, path)).status_code == 404
    assert world.metrics.registry.get_sample_value(
        "newsintel_http_request_seconds_count", {"route": "/metrics", "status": "2xx"}
    ) == pytest.approx(2)


async def test_metrics_that_cannot_be_had_are_a_503_on_either_port():
    """The answer says why and when to try again; it is no bug with a traceback in the log."""

    async def fail():
        await trio.lowlevel.checkpoint()
        raise MetricsUnavailableError("Nobody knows.")

    world = World()
    operations = evolve(world.services.operations, exposition=fail)
    public = create_app(evolve(world.services, operations=operations))
    answers = []
    with capture_logs() as logs:
        async with serve_metrics(fail, world) as url, httpx.AsyncClient() as client:
            own = await client.get(url + "/metrics")
        answers.append((own.status_code, own.headers, own.json()))
        response = await public.test_client().get("/metrics")
        answers.append((response.status_code, response.headers, await response.get_json()))
    for status_code, headers, document in answers:
        assert (status_code, document["code"], document["detail"]) == (503, "busy", "Nobody knows.")
        assert headers["Content-Type"] == "application/problem+json"
        assert headers["Retry-After"] == "1"
        assert document["request_id"]
    assert {line["log_level"] for line in logs} == {"info"}


async def test_hits_of_the_hit_path_are_counted():
    """A rendered page counts as a hit of /articles like any other."""
    world = World()
    async with serving(world) as served, httpx.AsyncClient(base_url=served.url) as client:
        for _ in range(3):
            assert (await client.get("/articles?q=a")).status_code == 200
    assert len(world.desk.asked) == 1
    assert (
        read_counter(world.metrics, "searches", via="miss"),
        read_counter(world.metrics, "searches", via="hit"),
    ) == (1, 2)
    labels = {"route": "/articles", "status": "2xx"}
    assert (
        world.metrics.registry.get_sample_value("newsintel_http_request_seconds_count", labels) == 3
    )


def requests_of(world):
    """Return the number of measured requests by route and status."""
    return {
        (dict(labels)["route"], dict(labels)["status"]): value
        for (name, labels), value in read_samples(world.metrics).items()
        if name == "newsintel_http_request_seconds_count"
    }


async def test_requests_are_measured_by_route_and_status():
    """The label is the route's template, never the path sent.

    An unknown path is `other`; a client that left before the answer has status `none`.
    """
    world = World(desk=Desk())
    async with serving(world) as served, httpx.AsyncClient(base_url=served.url) as client:
        for path in (
            "/articles?q=a",
            "/articles?limit=0",
            "/articles/nonsense",
            "/secret/path",
            "/health",
        ):
            await client.get(path)
        await client.get("/health", headers={"Host": "evil.example"})
        await client.get("/articles?q=a", headers={"Host": "evil.example"})
        world.desk.open, world.desk.arrived = trio.Event(), trio.Event()
        async with await served.open() as stream:
            await stream.send_all(b"GET /articles?q=slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await world.desk.arrived.wait()
        await world.desk.left.wait()

        async def measured():
            return ("/articles", "none") in requests_of(world)

        await until(measured)
    assert requests_of(world) == {
        ("/articles", "2xx"): 1,
        ("/articles", "4xx"): 1,
        ("/articles", "none"): 1,
        ("/articles/{id}", "4xx"): 1,
        ("/health", "2xx"): 2,
        ("other", "4xx"): 2,
    }
