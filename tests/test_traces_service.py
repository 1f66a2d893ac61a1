"""Traces of the service as users run it: its own processes, and a collector that decodes them."""

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from newsintel.domain.security.keys import create_api_key, create_feed_token
from tests.collector import collecting, is_failed, read
from tests.service import beside, running
from tests.test_workers import UNLIMITED, several
from tests.waiting import PATIENCE_S, wait_for

KEY = "planted-collector-key"
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50"}


@pytest.fixture(scope="module")
def collector():
    """A collector to which all services of this module send."""
    with collecting() as found, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        patch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"x-key={KEY}")
        for name, value in SOON.items():
            patch.setenv(name, value)
        yield found


@pytest.fixture(scope="module")
def demo(collector, tmp_path_factory):
    """A demo in which the Guardian has a short deadline."""
    folder = tmp_path_factory.mktemp("traces")
    with running(
        folder, "demo", GUARDIAN_DEADLINE_S="1", LOG_FORMAT="json", **UNLIMITED
    ) as service:
        yield service


def begin_trace():
    """A span of a caller's, made by OpenTelemetry, and the headers that carry it."""
    span, headers = TracerProvider().get_tracer("caller").start_span("call"), {}
    TraceContextTextMapPropagator().inject(headers, set_span_in_context(span))
    return span.get_span_context(), headers


def search(service, q, **headers):
    """Search with these headers."""
    with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
        answer = client.get(f"{service.url}/articles", params={"q": q}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def traced(collector, answer):
    """The request's own span."""
    (span,) = collector.wait_for("GET /articles", request_id=answer.headers["x-request-id"])
    return span


def test_a_search_is_one_tree(demo, collector):
    """One source hangs. The caller's trace goes on; each step is where the dataflow has it."""
    demo.behave("guardian", fault="none", latency_ms=60_000)
    caller, headers = begin_trace()
    answer = search(demo, "housing", **headers)
    assert answer.json()["sources"]["guardian"]["status"] == "timeout"
    request = traced(collector, answer)
    assert int.from_bytes(request.trace_id) == caller.trace_id
    assert int.from_bytes(request.parent_span_id) == caller.span_id
    steps = [
        ("GET /articles", "server", None),
        ("cache write", "internal", "search"),
        ("claim", "internal", "search"),
        ("fetch guardian", "client", "search"),
        ("fetch newsapi", "client", "search"),
        ("fetch reddit", "client", "search"),
        ("merge", "internal", "search"),
        ("merge", "internal", "search"),
        ("persist", "internal", "search"),
        ("rank", "internal", "search"),
        ("search", "internal", "GET /articles"),
    ]
    wait_for(lambda: len(collector.list_trace(request.trace_id)) >= len(steps), "all steps")
    assert collector.list_trace(request.trace_id) == steps
    attributes = read(request)
    assert attributes.pop("http.response.body.size") == int(answer.headers["content-length"])
    assert attributes == {
        "http.request.method": "GET",
        "http.route": "/articles",
        "url.path": "/articles",
        "url.scheme": "http",
        "http.response.status_code": 200,
        "newsintel.client": "anonymous",
        "newsintel.request_id": answer.headers["x-request-id"],
    }
    assert not is_failed(request)


def test_a_call_of_a_source_says_how_it_went(demo, collector):
    """Its outcome as in the answer, in which time, and before which deadline."""
    demo.behave("guardian", fault="none", latency_ms=60_000)
    demo.behave("newsapi", fault="503")
    answer = search(demo, "football")
    trace_id = traced(collector, answer).trace_id
    wait_for(lambda: ("rank", "internal", "search") in collector.list_trace(trace_id), "the end")
    demo.behave("newsapi", fault="none")
    calls = {span.name: span for span in collector.spans if span.trace_id == trace_id}
    for name, report in answer.json()["sources"].items():
        if report["status"] == "disabled":
            assert f"fetch {name}" not in calls
            continue
        found = read(calls[f"fetch {name}"])
        assert found["newsintel.source"] == name
        assert found["newsintel.source.status"] == report["status"]
        assert found["newsintel.source.kept"] == report["kept"]
        assert found.get("http.response.status_code") == report["http_status"]
        assert abs(found["newsintel.source.latency_ms"] - report["latency_ms"]) <= 1
        assert is_failed(calls[f"fetch {name}"]) == (report["status"] not in ("ok", "empty"))
    guardian = read(calls["fetch guardian"])
    assert (guardian["newsintel.source.deadline_ms"], guardian["error.type"]) == (1000, "timeout")
    flight = read(calls["search"])
    assert flight["newsintel.complete"] is False
    assert flight["newsintel.sources"] == list(answer.json()["sources"])
    assert flight["newsintel.stories"] == answer.json()["total"]


def test_a_repeated_search_is_one_span(demo, collector):
    """A hit is answered before the parser, and asks nobody. The caller's trace goes on."""
    demo.behave("guardian", fault="none", latency_ms=0)
    search(demo, "museum")
    caller, headers = begin_trace()
    answer = search(demo, "museum", **headers)
    assert "hit" in answer.headers["cache-status"]
    request = traced(collector, answer)
    assert int.from_bytes(request.parent_span_id) == caller.span_id
    assert read(request)["http.route"] == "/articles"
    assert collector.list_trace(request.trace_id) == [("GET /articles", "server", None)]


def test_no_secret_and_no_query_is_sent(demo, collector):
    """Of a request the collector gets what the log shows: no query, header, address, no token."""
    word, key, token = "unmistakable", create_api_key(), create_feed_token()
    agent = {"user-agent": "agent-of-a-person", "x-forwarded-for": "198.51.100.7"}
    client = demo.client
    client.get(f"{demo.url}/articles", params={"q": word}, headers=agent)
    client.get(f"{demo.url}/me", headers={"authorization": f"Bearer {key}", **agent})
    client.get(f"{demo.url}/me", headers={"cookie": f"newsintel_dev={token}"})
    client.get(f"{demo.url}/feeds/{token}")
    client.get(f"{demo.url}/x/{key}")
    client.get(f"{demo.url}/x/{token}")
    client.request("BREW", f"{demo.url}/{word[::-1]}", headers=agent)
    (last,) = collector.wait_for("HTTP")
    assert read(last)["http.request.method"] == "_OTHER"
    assert read(last)["url.path"] == f"/{word[::-1]}"
    (feed,) = collector.wait_for("GET /feeds/{token}")
    assert read(feed)["url.path"] == "/feeds/***"
    collector.wait_for("GET", path="/x/ni_***")
    collector.wait_for("GET", path="/x/***")
    sent = b"".join(collector.bodies)
    for secret in (word, key, token, KEY, "198.51.100.7", "agent-of-a-person", "127.0.0.1"):
        assert secret.encode() not in sent, secret
    assert KEY not in demo.log.read_text()


def test_an_error_of_the_service_is_one_of_the_span(demo, collector):
    """4xx is the caller's and no error of a server span, as the conventions say."""
    for source in ("newsapi", "guardian", "reddit"):
        demo.behave(source, fault="503", latency_ms=0)
    answers = [
        demo.get("/articles", q="unheard", format="json"),
        demo.get("/articles", nothing="x"),
    ]
    for source in ("newsapi", "guardian", "reddit"):
        demo.behave(source, fault="none")
    for answer in answers:
        request = traced(collector, answer)
        found = read(request)
        assert found["http.response.status_code"] == answer.status_code
        assert is_failed(request) == (answer.status_code >= 500)
        assert found.get("error.type") == (str(answer.status_code) if is_failed(request) else None)
    assert [answer.status_code for answer in answers][1] == 400


@pytest.mark.slow
def test_every_worker_has_its_own_name(demo, collector):
    """Two processes say who they are; the supervisor sends nothing, and all end in order."""
    before = set(collector.processes)
    with several(demo, **UNLIMITED) as service:

        def ask():
            service.client.close()
            service.client = httpx.Client(trust_env=False, timeout=PATIENCE_S)
            service.get("/health")
            return len(set(collector.processes) - before) == 2

        wait_for(ask, "spans of both workers")
        assert service.stop() == 0
    pids = {collector.processes[one]["process.pid"] for one in set(collector.processes) - before}
    assert service.process.pid not in pids
    assert len(pids) == 2
    assert service.log.read_text().count('"traces_on"') == 1


@pytest.mark.slow
def test_the_last_spans_are_sent_at_the_end(demo, collector, monkeypatch):
    """SIGTERM does not lose what waits for the next batch."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", str(PATIENCE_S * 1000))
    with beside(demo, **UNLIMITED) as service:
        answer = search(service, "ocean")
        assert service.stop() == 0
    request = traced(collector, answer)
    assert ("persist", "internal", "search") in collector.list_trace(request.trace_id)


@pytest.mark.slow
def test_without_a_collector_everything_else_works(demo, monkeypatch):
    """One line says why; the search is answered, and the end is in order."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3")
    with beside(demo, LOG_FORMAT="json", **UNLIMITED) as service:
        search(service, "trade")
        wait_for(lambda: '"traces_failing"' in service.log.read_text(), "the line")
        search(service, "rail")
        assert service.stop() == 0
    log = service.log.read_text()
    assert log.count('"traces_failing"') == 1
    assert "Connection refused" in log
    assert "Traceback" not in log
    assert '"logger": "opentelemetry' not in log
    assert '"stopped"' in log
