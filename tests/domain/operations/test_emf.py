"""The embedded metric format.

Every document matches the specification, and its numbers are those of the interval.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from newsintel.domain.operations.emf import (
    DIMENSION,
    MOST_METRICS,
    Interval,
    Metric,
    build_document,
    build_metrics,
)
from newsintel.domain.operations.metrics import COUNTERS
from newsintel.runtime.telemetry.metrics import Metrics
from tests.samples import read_samples

SOURCES = ("newsapi", "guardian", "reddit")
EMF_SCHEMA = json.loads(Path(__file__).with_name("emf_schema.json").read_text(encoding="utf-8"))
"""The schema is AWS's own. SPECIFICATION adds what the text says and the schema lacks."""
MOMENT = datetime(2026, 3, 14, 12, 0, 0, 123_456, tzinfo=UTC)

UNITS = [
    "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes",
    "Terabytes", "Percent", "Count", "None",
    *(
        f"{size}/Second"
        for size in ("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Count")
    ),
]  # fmt: skip
NAME = {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^[ -~]+$"}
SPECIFICATION = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": False,
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 1_600_000_000_000},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": NAME,
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": 30,
                                    "items": NAME,
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "Name": NAME,
                                        "Unit": {"enum": UNITS},
                                        "StorageResolution": {"enum": [1, 60]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


def check(written):
    """Check a document against the schema and the text.

    Every dimension is a text, and every metric is a finite number.
    """
    Draft202012Validator(SPECIFICATION).validate(written)
    Draft7Validator(EMF_SCHEMA).validate(written)
    for directive in written["_aws"]["CloudWatchMetrics"]:
        assert all(
            isinstance(written[key], str) and written[key]
            for keys in directive["Dimensions"]
            for key in keys
        )
        assert all(
            isinstance(written[metric["Name"]], int | float) for metric in directive["Metrics"]
        )


@pytest.fixture
def metrics():
    """A registry with events from before the interval."""
    made = Metrics()
    made.count("searches", 5, via="miss")
    made.observe("fetch_seconds", 2.9, source="guardian", status="timeout")
    return made


def written(metrics, work=lambda: None, sources=SOURCES):
    """The document of an interval in which `work` was done."""
    before = read_samples(metrics)
    work()
    return build_document(
        build_metrics(sources),
        Interval(before, read_samples(metrics)),
        MOMENT,
        {DIMENSION: "production", "version": "1.0"},
    )


def test_a_quiet_interval_has_zero_counters_and_no_ratios(metrics):
    """Earlier events do not count.

    Values that need an event are left out. The document is valid.
    """
    quiet = written(metrics)
    check(quiet)
    assert quiet["_aws"]["Timestamp"] == 1_773_489_600_123
    assert {quiet[name] for name in COUNTERS} == {0}
    assert quiet[DIMENSION] == "production"
    assert "hit_ratio" not in quiet
    assert "fetch_p99_ms_guardian" not in quiet
    assert quiet["resident_memory_bytes"] > 1e6
    assert quiet["open_fds"] > 0


def test_numbers_are_those_of_the_interval(metrics):
    """Counters are differences, summed over labels.

    The hit ratio, the 5xx and the failures by source are those of the interval.
    """

    def work():
        for via, times in {"hit": 6, "revalidated": 1, "miss": 2, "failed": 1}.items():
            metrics.count("searches", times, via=via)
        metrics.count("outcomes", 2, source="guardian", status="ok")
        metrics.count("outcomes", 3, source="guardian", status="timeout")
        metrics.count("outcomes", 4, source="reddit", status="disabled")
        for status in ("2xx", "2xx", "5xx"):
            metrics.observe("http_request_seconds", 0.001, route="/articles", status=status)
        metrics.set_gauge_reader("redis_breaker_open", lambda: {(): True})
        metrics.set_gauge_reader(
            "queue_depth", lambda: {("persister",): 7, ("fetcher guardian",): 2}
        )
        metrics.set_gauge_reader("spool_bytes", lambda: {("redis",): 7_000, ("file",): 500})
        metrics.set_gauge_reader("queue_age_seconds", lambda: {("persister",): 1.5})

    busy = written(metrics, work)
    check(busy)
    expected = {
        "searches": 10,
        "searches_failed": 1,
        "hit_ratio": 0.7,
        "outcomes": 9,
        "fetch_failures_guardian": 3,
        "fetch_failures_reddit": 0,
        "http_requests": 3,
        "http_5xx": 1,
        "redis_breaker_open": 1,
        "spool_bytes": 7_500,
        "queue_depth_persister": 7,
        "queue_depth_fetcher_guardian": 2,
        "queue_age_s_persister": 1.5,
    }
    assert {name: busy[name] for name in expected} == expected
    assert "queue_depth_merger" not in busy
    assert busy["cpu_s"] >= 0


@pytest.mark.parametrize(
    ("latencies_s", "p99_ms"),
    [
        ([0.35], 399),
        ([0.35] * 99 + [1.1], 400),
        ([0.35] * 98 + [1.1] * 2, 1125),
        ([9.0], 3000),
    ],
)
def test_p99_is_interpolated_within_a_bucket(metrics, latencies_s, p99_ms):
    """Calls of all statuses count, spread evenly over their bucket.

    Past the last bucket, the value is the end of that bucket.
    """

    def work():
        for number, latency_s in enumerate(latencies_s):
            metrics.observe(
                "fetch_seconds",
                latency_s,
                source="guardian",
                status="ok" if number % 2 else "timeout",
            )

    assert written(metrics, work)["fetch_p99_ms_guardian"] == pytest.approx(p99_ms)


def test_a_directive_has_at_most_the_allowed_number_of_metrics(metrics):
    """With many sources there are several directives, and each metric is in one of them."""
    many = [f"source{number}" for number in range(40)]
    whole = build_document(
        {name: Metric(metric.unit, lambda _: 1.0) for name, metric in build_metrics(many).items()},
        Interval({}, {}),
        MOMENT,
        {DIMENSION: "test"},
    )
    check(whole)
    sizes = [len(directive["Metrics"]) for directive in whole["_aws"]["CloudWatchMetrics"]]
    assert sizes[:-1] == [MOST_METRICS] * (len(sizes) - 1)
    assert sum(sizes) == len(build_metrics(many))


def test_metric_names_are_distinct_from_other_members():
    """Metric names are lower case, of letters, digits and underscores."""
    assert not {DIMENSION, "version", "commit", "_aws"} & set(build_metrics(SOURCES))
    assert all(
        name.replace("_", "a").isalnum() and name == name.lower() for name in build_metrics(SOURCES)
    )
