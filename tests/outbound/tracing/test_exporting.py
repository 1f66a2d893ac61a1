"""Spans on their way to a collector: the real SDK, thread and HTTP.

The judges are OpenTelemetry's own messages, its propagator and its list of attributes.
"""

import logging
import os
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from random import Random

import opentelemetry.semconv._incubating.attributes as incubating
import opentelemetry.semconv.attributes as stable
import pytest
import trio
from opentelemetry import trace
from opentelemetry.propagate import get_global_textmap
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.testing import capture_logs
from trio.testing import wait_all_tasks_blocked

from newsintel import app
from newsintel.domain.search.harvest import Via
from newsintel.domain.tracing import NO_SPAN, enter_span
from newsintel.outbound.sources import REGISTRY
from newsintel.outbound.tracing import opening
from newsintel.outbound.tracing.answers import MOST_BYTES, MOST_REASON_CHARS
from newsintel.outbound.tracing.opening import open_tracing
from newsintel.outbound.tracing.reporting import EXPORTER_LOG
from newsintel.runtime.telemetry.logs import set_up_logging
from tests.actors.test_fetcher import PAGE
from tests.collector import collecting, is_failed, read
from tests.steps import ALLOWED, LONGEST_MS, cost_ns, in_ms
from tests.test_app import ASKER, asked, settings, world  # noqa: F401 - a fixture
from tests.waiting import PATIENCE_S, wait_for

QUEUE = 2048
"""The default of OTEL_BSP_MAX_QUEUE_SIZE in the specification, and that of a batch."""
BATCH = 512
SECRET = "planted-secret-value"


@pytest.fixture
def collector(monkeypatch):
    """A collector that the variables name; the end of a service waits for it."""
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        monkeypatch.setattr(opening, "FLUSH_S", PATIENCE_S)
        yield found


async def send(monkeypatch, *names, headers=(), **environ):
    """Trace one request for each name in a service of this environment."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    async with open_tracing(settings(), os.environ) as begin_request:
        for name in names:
            span = begin_request(name, headers)
            span.begin_child("step").end()
            span.end()


async def test_spans_arrive_before_the_end(collector, monkeypatch):
    """The last ones are sent at the end: as protobuf, with what this process is."""
    await send(monkeypatch, "GET")
    assert collector.list_trace(collector.spans[0].trace_id) == [
        ("GET", "server", None),
        ("step", "internal", "GET"),
    ]
    assert collector.heads[0]["content-type"] == "application/x-protobuf"
    (process,) = collector.processes.values()
    assert process["service.name"] == "newsintel"
    assert process["telemetry.sdk.name"] == "opentelemetry"
    assert process["deployment.environment.name"] == "development"


async def test_the_standard_variables_are_followed(collector, monkeypatch):
    """The SDK reads them: a name, attributes, headers, gzip."""
    await send(
        monkeypatch,
        "GET",
        OTEL_SERVICE_NAME="news",
        OTEL_RESOURCE_ATTRIBUTES="service.instance.id=one,team=desk%201",
        OTEL_EXPORTER_OTLP_HEADERS=f"x-key={SECRET}",
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
    )
    assert collector.find("GET")
    (head,) = collector.heads
    assert (head["x-key"], head["content-encoding"]) == (SECRET, "gzip")
    process = collector.processes["one"]
    assert (process["service.name"], process["team"]) == ("news", "desk 1")


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_TRACES_SAMPLER": "always_off"},
        {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"},
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_TRACES_EXPORTER": "none"},
    ],
)
async def test_what_is_not_sampled_is_not_sent(collector, monkeypatch, environ):
    """Neither a request nor its steps."""
    await send(monkeypatch, "GET", "GET", **environ)
    assert collector.bodies == []


def test_without_an_endpoint_the_exporter_is_not_imported():
    """Its import would take half a second. Without the extra it would fail."""
    program = (
        "import sys, newsintel.commands.serving; "
        "assert not {'opentelemetry.exporter', 'opentelemetry.sdk.trace'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


async def test_without_an_endpoint_no_request_is_traced():
    """The spans are those of the port, which keep nothing."""
    async with open_tracing(settings(), {}) as begin_request:
        assert begin_request("GET", []) is NO_SPAN


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_BSP_MAX_QUEUE_SIZE": "0"},
        {"OTEL_BSP_MAX_QUEUE_SIZE": "100"},
    ],
)
async def test_an_unusable_variable_is_one_line(collector, monkeypatch, environ):
    """The service runs without traces."""
    with capture_logs() as lines:
        await send(monkeypatch, "GET", **environ)
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("traces_off", "warning")
    assert line["reason"].startswith("max_")
    assert collector.bodies == []


def list_headers(rng):
    """Values of `traceparent` and `tracestate`, good and bad."""
    good = f"00-{rng.getrandbits(128):032x}-{rng.getrandbits(64):016x}-{rng.choice(['00', '01'])}"
    yield from (good, good.upper(), good + "-x", good[:-1], f" {good} ", good.replace("-", "_"))
    yield from (f"ff{good[2:]}", f"01{good[2:]}", f"01{good[2:]}-more", "", "00-0-0-01", "ü")
    yield f"00-{'0' * 32}-{good[36:52]}-01"
    yield f"{good[:36]}{'0' * 16}-01"


@pytest.mark.parametrize("state", [None, "a=1,b=2", "=", "a=1,a=2", "x" * 600])
async def test_a_callers_trace_goes_on(collector, monkeypatch, state):
    """As OpenTelemetry's propagator reads it, whatever the header holds."""
    values = [one for seed in range(5) for one in list_headers(Random(seed))]
    async with open_tracing(settings(), os.environ) as begin_request:
        for number, value in enumerate(values):
            headers = [(b"host", b"x"), (b"traceparent", value.encode("latin-1"))]
            if state is not None:
                headers.append((b"tracestate", state.encode()))
            begin_request(f"GET {number}", headers).end()
    propagator, seen = TraceContextTextMapPropagator(), 0
    for number, value in enumerate(values):
        carrier = {"traceparent": value} | ({} if state is None else {"tracestate": state})
        context = propagator.extract(carrier)
        known = trace.get_current_span(context).get_span_context()
        found = collector.find(f"GET {number}")
        if known.is_valid and not known.trace_flags.sampled:
            assert not found
            continue
        (span,) = found
        if known.is_valid:
            seen += 1
            assert int.from_bytes(span.trace_id) == known.trace_id
            assert int.from_bytes(span.parent_span_id) == known.span_id
            assert span.trace_state == known.trace_state.to_header()
        else:
            assert not span.parent_span_id
    assert seen


async def test_two_traceparents_are_none(collector, monkeypatch):
    """It is not clear which one holds (W3C Trace Context, 3.2)."""
    value = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await send(monkeypatch, "GET", headers=[(b"traceparent", value)] * 2)
    (span,) = collector.find("GET")
    assert not span.parent_span_id


@pytest.mark.parametrize("name", sorted(get_global_textmap().fields))
@pytest.mark.parametrize("fill", [" ", "\t", ",", "a=1,", "a", ";", "%20"])
async def test_a_callers_header_is_read_at_once(collector, name, fill):
    """Before all limits of requests. Some propagators need time quadratic in its length."""
    value = f"a{fill * (8_000 // len(fill))}a".encode()  # W3CBaggagePropagator reads 8,192
    good = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = [(b"traceparent", good)] if name != "traceparent" else []
    headers.append((name.encode(), value))
    async with open_tracing(settings(), os.environ) as begin_request:
        took_ns = min(cost_ns(lambda: begin_request("GET", headers).end()) for _ in range(3))
    assert in_ms(took_ns) < ALLOWED * LONGEST_MS


async def test_a_request_that_is_over_began_when_it_began(collector, monkeypatch):
    """A finished answer is traced after it was sent."""
    async with open_tracing(settings(), os.environ) as begin_request:
        before = time.time_ns()
        begin_request("GET", [], 2.5).end()
        after = time.time_ns()
    (span,) = collector.spans
    assert before - 2.5e9 <= span.start_time_unix_nano <= after - 2.5e9 + 1000


async def test_spans_pass_the_redactor(collector, monkeypatch):
    """What must not stand in the log must not stand in a span."""
    set_up_logging(settings(NEWSINTEL_NEWSAPI_KEY=SECRET))
    async with open_tracing(settings(), os.environ) as begin_request:
        span = begin_request("GET", [(b"authorization", b"Bearer x"), (b"cookie", b"a=b")])
        span.set({"url.path": f"/x/{SECRET}", "newsintel.sources": ("guardian",), "no": None})
        span.fail("timeout", f"api-key={SECRET}")
        span.end()
    logging.getLogger().handlers.clear()
    (span,) = collector.spans
    assert read(span) == {
        "url.path": "/x/***",
        "newsintel.sources": ["guardian"],
        "error.type": "timeout",
    }
    assert span.status.message == "api-key=***"
    assert is_failed(span)
    assert SECRET.encode() not in b"".join(collector.bodies)


async def test_a_collector_that_hangs_fills_no_memory(collector, monkeypatch):
    """The newest spans of the queue arrive later, and those that were being sent; no others."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", str(PATIENCE_S * 1000))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", str(PATIENCE_S))
    collector.answering.clear()
    async with open_tracing(settings(), os.environ) as begin_request:
        for _ in range(BATCH):
            begin_request("first", []).end()
        await trio.to_thread.run_sync(collector.asked.wait)
        for number in range(3 * QUEUE):
            begin_request(f"GET {number}", []).end()
        collector.answering.set()
    names = [span.name for span in collector.spans]
    assert names == ["first"] * BATCH + [f"GET {number}" for number in range(2 * QUEUE, 3 * QUEUE)]


async def search(monkeypatch, environ):
    """Search in a service of this environment. Returns virtual seconds: of the search, the end."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    async with open_tracing(settings(), environ) as begin_request:
        async with app.open_pipeline(settings()) as services:
            began = trio.current_time()
            span = begin_request("GET", [])
            enter_span(span)
            assert (await services.search.desk.search(asked(), ASKER)).via is Via.MISS
            took = trio.current_time() - began
            span.end()
            enter_span(NO_SPAN)
        ended = trio.current_time()
    return took, trio.current_time() - ended


async def test_a_collector_that_is_away_delays_no_search(world, monkeypatch, autojump_clock):  # noqa: F811
    """On trio's virtual clock, a search with traces takes as long as one without.

    The clock does not see what threads do, so the end waits for exactly FLUSH_S.
    """
    without = await search(monkeypatch, {})
    with collecting() as collector:
        collector.answering.clear()
        world.cache.kept.clear()
        traced = await search(monkeypatch, {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
        assert collector.bodies == []
    assert traced == pytest.approx((without[0], opening.FLUSH_S))
    assert without[1] == 0


async def test_an_outage_is_one_line_and_its_end_another(collector, monkeypatch):
    """Not one for each attempt."""
    collector.status = 400
    with capture_logs() as lines:
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
        async with open_tracing(settings(), os.environ) as begin_request:
            for _ in range(3):
                collector.asked.clear()
                begin_request("GET", []).end()
                await trio.to_thread.run_sync(collector.asked.wait)
            wait_for(lambda: lines, "the first line")
            collector.status = 200
            begin_request("GET", []).end()
    failing, recovered = lines
    assert (failing["event"], failing["log_level"]) == ("traces_failing", "warning")
    assert failing["spans"] >= 1
    assert "400" in failing["reason"]
    assert (recovered["event"], recovered["log_level"]) == ("traces_recovered", "info")
    assert not logging.getLogger(EXPORTER_LOG).handlers


async def test_a_search_is_traced_as_the_dataflow_has_it(world, collector, monkeypatch):  # noqa: F811
    """All sources, without HTTP. Every attribute is ours, or one that OpenTelemetry knows."""
    await search(monkeypatch, {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    (request,) = collector.find("GET")
    assert collector.list_trace(request.trace_id) == sorted(
        [
            ("GET", "server", None),
            ("search", "internal", "GET"),
            *((f"fetch {name}", "client", "search") for name in REGISTRY),
            *((step, "internal", "search") for step in ("claim", "rank", "cache write", "persist")),
            *(("merge", "internal", "search") for _ in REGISTRY),
        ]
    )
    names = {name for span in collector.spans for name in read(span)}
    assert {name for name in names if not name.startswith("newsintel.")} <= list_known()
    (persist,) = collector.find("persist")
    (flight,) = collector.find("search")
    assert persist.start_time_unix_nano >= flight.end_time_unix_nano


async def test_who_joins_a_search_is_linked_to_it(world, collector, monkeypatch):  # noqa: F811
    """The steps are in the trace of the request that started the search."""
    patient = {f"NEWSINTEL_{name.upper()}_DEADLINE_S": "300" for name in ("search", *REGISTRY)}
    answering = trio.Event()

    async def fetch(_query):
        await answering.wait()
        return PAGE

    for upstream in world.upstreams.values():
        monkeypatch.setattr(upstream, "fetch", fetch)

    async def ask(name, via):
        span = begin_request(name, [])
        enter_span(span)
        assert (await services.search.desk.search(asked(), ASKER)).via is via
        span.end()

    async with (
        open_tracing(settings(), os.environ) as begin_request,
        app.open_pipeline(settings(**patient)) as services,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(ask, "first", Via.MISS)
        await wait_all_tasks_blocked()
        nursery.start_soon(ask, "second", Via.COLLAPSED)
        await wait_all_tasks_blocked()
        answering.set()
    (first,), (second,), (flight,) = map(collector.find, ("first", "second", "search"))
    assert flight.parent_span_id == first.span_id
    assert not first.links
    (link,) = second.links
    assert (link.trace_id, link.span_id) == (flight.trace_id, flight.span_id)
    assert collector.list_trace(second.trace_id) == [("second", "server", None)]


def list_known():
    """The names of all attributes that OpenTelemetry's conventions have."""
    return {
        value
        for package in (stable, incubating)
        for module in iter_modules(package.__path__)
        for value in vars(import_module(f"{package.__name__}.{module.name}")).values()
        if isinstance(value, str)
    }


async def test_an_answer_without_end_fills_no_memory(monkeypatch):
    """The exporter needs the status alone: what comes behind it is not read."""
    sent = trio.Event()
    written = 0

    async def flood(stream):
        nonlocal written
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 400 %b\r\n\r\n" % (b"R" * 9_000))
        with suppress(trio.BrokenResourceError):
            for _ in range(10_000):
                await stream.send_all(b"x" * MOST_BYTES)
                written += 1
        sent.set()

    monkeypatch.setattr(opening, "FLUSH_S", PATIENCE_S)
    async with trio.open_nursery() as nursery:
        (found,) = await nursery.start(partial(trio.serve_tcp, flood, 0, host="127.0.0.1"))
        url = f"http://127.0.0.1:{found.socket.getsockname()[1]}"
        with capture_logs() as lines:
            await send(monkeypatch, "GET", OTEL_EXPORTER_OTLP_ENDPOINT=url)
        with trio.fail_after(PATIENCE_S):
            await sent.wait()
        nursery.cancel_scope.cancel()
    assert written < 1_000  # what fits into the system's buffers
    (line,) = lines
    assert line["event"] == "traces_failing"
    assert len(line["reason"]) < 2 * MOST_REASON_CHARS


async def test_one_connection_sends_all_batches(collector, monkeypatch):
    """Whose answers are read to their end."""
    batches = 4
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    async with open_tracing(settings(), os.environ) as begin_request:
        for number in range(batches):
            begin_request(f"GET {number}", []).end()
            await trio.to_thread.run_sync(collector.wait_for, f"GET {number}")
    assert len(collector.bodies) >= batches
    assert len(collector.peers) == 1
