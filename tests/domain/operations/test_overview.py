"""What an operator looks at first, from the metrics of one process and of several workers."""

import pytest
from prometheus_client import generate_latest

from newsintel.domain.operations.metrics import COUNTERS, GAUGES, HISTOGRAMS
from newsintel.domain.operations.overview import PREFIXES, QueueState, build_overview
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.runtime.telemetry.scraping import parse_samples
from newsintel.runtime.workers.merged_metrics import MergedMetrics
from tests.samples import read_samples

DEADLINES_S = {"guardian": 1.0, "reddit": 0.5}


def fill(metrics, *, depth=3, age_s=0.4, blocked="circuit_open", left=70, silence_s=0.0):
    """Let a service have counted something, and set its gauges."""
    for took_s in (0.12, 0.12, 0.12, 0.9):
        metrics.observe("fetch_seconds", took_s, source="guardian", status="ok")
    metrics.count("outcomes", 4, source="guardian", status="ok")
    metrics.count("searches", 3, via="hit")
    metrics.count("searches", 1, via="miss")
    gauges = {
        "flights": {(): 2},
        "connections": {(): 5},
        "requests_waiting": {(): 1},
        "queue_depth": {("persister",): depth},
        "queue_room": {("persister",): 4},
        "queue_age_seconds": {("persister",): age_s, ("spool redis",): 1.0},
        "source_ready": {("guardian",): 0, ("reddit",): 1},
        "source_blocked": {("guardian", blocked): 1},
        "quota_left": {("guardian",): left},
        "store_slots_used": {("PostgreSQL",): 2, ("Redis",): 1},
        "spool_bytes": {("redis",): 2048},
        "redis_breaker_open": {(): 1},
        "actor_silence_seconds": {("persister",): silence_s},
    }
    for name, values in gauges.items():
        metrics.set_gauge_reader(name, lambda values=values: values)
    return metrics


def test_one_process():
    """Every part of the overview, from the values as they were counted."""
    seen = build_overview(read_samples(fill(Metrics())), DEADLINES_S)
    assert (seen.workers, seen.hit_ratio) == (1, 0.75)
    assert seen.totals == {"flights": 2, "connections": 5, "requests_waiting": 1}
    assert seen.queues == {"persister": QueueState(3, 4, 0.4)}
    assert seen.queues["persister"].fill == 0.75
    assert seen.searches == {"hit": 3, "miss": 1}
    assert (seen.slots_used, seen.spooled_bytes) == ({"PostgreSQL": 2, "Redis": 1}, {"redis": 2048})
    assert seen.redis_breaker_open
    guardian, reddit = seen.sources["guardian"], seen.sources["reddit"]
    assert (guardian.blocked, guardian.circuit_open) == (("circuit_open",), True)
    assert (guardian.quota_left, guardian.outcomes) == (70, {"ok": 4})
    assert 100 < guardian.median_ms <= 150
    assert 750 < guardian.slowest_ms <= 900
    assert (guardian.deadline_ms, reddit.deadline_ms) == (1000, 500)
    assert (reddit.blocked, reddit.circuit_open, reddit.quota_left) == ((), False, None)
    assert (reddit.median_ms, reddit.slowest_ms) == (None, None)


def test_before_the_first_search():
    """Nothing was counted, and no gauge is connected."""
    seen = build_overview(read_samples(Metrics()), {})
    assert (seen.workers, seen.hit_ratio, seen.redis_breaker_open) == (1, None, False)
    assert (seen.queues, seen.sources, seen.searches) == ({}, {}, {})
    assert QueueState(0, 0, 0.0).fill == 0.0


def test_workers_are_added_up_or_the_worst_counts():
    """What the supervisor makes of two workers' metrics; the text is read as Prometheus would."""
    merged = MergedMetrics()
    kinds = ({}, {"depth": 1, "age_s": 9.0, "blocked": "timeout", "left": 50, "silence_s": 61.0})
    for number, more in enumerate(kinds):
        worker = fill(Metrics(), **more)
        merged.note(number, generate_latest(worker.registry) + generate_latest(worker.gauges))
    samples = parse_samples(merged.format([0, 1], 2), PREFIXES)
    seen = build_overview(samples, DEADLINES_S)
    assert (seen.workers, seen.hit_ratio) == (2, 0.75)
    assert seen.totals == {"flights": 4, "connections": 10, "requests_waiting": 2}
    assert seen.queues == {"persister": QueueState(4, 8, 9.0)}
    assert seen.silence_s == {"persister": 61.0}
    assert seen.sources["guardian"].blocked == ("circuit_open", "timeout")
    assert seen.sources["guardian"].quota_left == 50
    assert seen.sources["guardian"].outcomes == {"ok": 8}
    assert seen.spooled_bytes == {"redis": 2048}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_each_prefix_names_a_metric(prefix):
    """A metric that is renamed must not silently leave the page."""
    names = {f"newsintel_{name}" for name in (*COUNTERS, *GAUGES, *HISTOGRAMS, "workers")}
    assert any(f"{name}_total".startswith(prefix) for name in names)
