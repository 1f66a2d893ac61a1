"""Counters, histograms and gauges."""

import re
from pathlib import Path

import pytest

from newsintel.domain.operations.metrics import COUNTERS, GAUGES, HISTOGRAMS, WORKER_METRICS
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.runtime.telemetry.scraping import format_exposition
from tests.samples import read_counter, read_samples


def test_counters_add_up_by_label():
    """They start at 0 and refuse undeclared names and missing labels."""
    metrics = Metrics()
    assert read_counter(metrics, "outcomes", source="guardian", status="ok") == 0
    metrics.count("outcomes", source="guardian", status="ok")
    metrics.count("outcomes", 2, source="guardian", status="ok")
    metrics.count("dead_letters")
    assert read_counter(metrics, "outcomes", source="guardian", status="ok") == 3
    assert read_counter(metrics, "dead_letters") == 1
    with pytest.raises(KeyError):
        metrics.count("nonsense")
    with pytest.raises(ValueError, match="label"):
        metrics.count("outcomes", source="guardian")


def test_histograms_count_a_value_in_every_bucket_above_it():
    """Values are counted under their labels; an undeclared name is refused."""
    metrics = Metrics()
    for latency_s in (0.31, 0.4, 9.0):
        metrics.observe("fetch_seconds", latency_s, source="guardian", status="ok")
    read = {
        labels: value
        for (name, labels), value in read_samples(metrics).items()
        if name == "newsintel_fetch_seconds_bucket"
    }
    by_end = {dict(labels)["le"]: value for labels, value in read.items()}
    assert (by_end["0.3"], by_end["0.4"], by_end["3.0"], by_end["+Inf"]) == (0, 2, 2, 3)
    with pytest.raises(KeyError):
        metrics.observe("nonsense", 1)


def test_order_of_labels_does_not_matter():
    """The same labels in another order are the same series."""
    metrics = Metrics()
    metrics.count("outcomes", source="ok", status="guardian")
    metrics.count("outcomes", status="ok", source="guardian")
    assert read_counter(metrics, "outcomes", source="guardian", status="ok") == 1
    assert read_counter(metrics, "outcomes", source="ok", status="guardian") == 1


def test_gauges_are_read_at_each_scrape():
    """An undeclared gauge is refused."""
    metrics, flights = Metrics(), iter([3, 5])
    metrics.set_gauge_reader("flights", lambda: {(): next(flights)})
    assert read_samples(metrics)["newsintel_flights", ()] == 3
    assert read_samples(metrics)["newsintel_flights", ()] == 5
    with pytest.raises(KeyError):
        metrics.set_gauge_reader("nonsense", dict)


async def test_process_is_among_the_metrics():
    """They are resident memory, open descriptors, CPU time and the garbage collector."""
    text = (await format_exposition(Metrics())).decode()
    for name in (
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_cpu_seconds_total",
        "python_gc_collections_total",
    ):
        assert f"\n{name}" in text


def test_operators_page_has_every_metric():
    """docs/operating.md names each counter, histogram and gauge, and no other metric."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "operating.md").read_text(
        encoding="utf-8"
    )
    told = set(re.findall(r"^\| `newsintel_([a-z_]+)` \|", page, re.MULTILINE))
    of_workers = {
        f"{name}_total" if kind == "counter" else name for name, (kind, _) in WORKER_METRICS.items()
    }
    assert told == {*(f"{name}_total" for name in COUNTERS), *HISTOGRAMS, *GAUGES, *of_workers}
