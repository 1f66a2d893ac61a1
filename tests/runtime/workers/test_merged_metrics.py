"""The metrics of all workers in one exposition. prometheus_client is the judge of the text."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from newsintel.domain.operations.metrics import COUNTERS, GAUGES, HISTOGRAMS, SUMMED_GAUGES
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.runtime.telemetry.scraping import format_exposition
from newsintel.runtime.workers.merged_metrics import MergedMetrics


def read(text):
    """All samples of an exposition, by name and labels; each of them once."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def declared(text):
    """The families of an exposition: each is declared once, before its samples."""
    names = [line.split()[2] for line in text.decode().splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    return set(names)


names = st.sampled_from(sorted(COUNTERS))
values = st.text(string.printable, max_size=5)
amounts = st.integers(1, 2**40)
events = st.lists(st.tuples(st.integers(1, 3), names, st.lists(values, min_size=3), amounts))


def count_all(events):
    """Return the metrics of three workers after some events."""
    workers = {worker: Metrics() for worker in (1, 2, 3)}
    for worker, name, labels, amount in events:
        _, wanted = COUNTERS[name]
        workers[worker].count(name, amount, **dict(zip(wanted, labels, strict=False)))
        histogram = sorted(HISTOGRAMS)[amount % 2]
        _, wanted, _ = HISTOGRAMS[histogram]
        workers[worker].observe(
            histogram, float(amount % 7), **dict(zip(wanted, labels, strict=False))
        )
    return workers


@pytest.mark.slow
@given(events)
async def test_the_whole_is_the_sum_of_its_parts(events):
    """For each counter and each histogram, whatever the labels hold."""
    merged, parts = MergedMetrics(), []
    for worker, metrics in count_all(events).items():
        text = await format_exposition(metrics)
        merged.note(worker, text)
        parts.append(read(text))
    whole = merged.format({1, 2, 3}, 3)
    found = read(whole)
    declared(whole)
    for key in {key for part in parts for key in part}:
        name, _ = key
        if name.startswith("newsintel_"):
            assert found[key] == sum(part.get(key, 0) for part in parts)
    ours = {key for key in found if key[0].startswith("newsintel_")}
    assert ours - {key for part in parts for key in part} == {
        ("newsintel_workers", frozenset()),
        ("newsintel_worker_restarts_total", frozenset()),
    }


async def test_buckets_stay_in_order():
    """Prometheus wants the buckets of a series together, with rising ends."""
    merged = MergedMetrics()
    for worker, status in ((1, "ok"), (2, "timeout")):
        metrics = Metrics()
        metrics.observe("fetch_seconds", 0.3, source="guardian", status=status)
        metrics.observe("fetch_seconds", 0.3, source="guardian", status="ok")
        merged.note(worker, await format_exposition(metrics))
    lines = merged.format({1, 2}, 2).decode().splitlines()
    series = [line for line in lines if line.startswith("newsintel_fetch_seconds_bucket")]
    ends = [float(line.split('le="')[1].split('"')[0]) for line in series]
    assert len(series) == 2 * (len(HISTOGRAMS["fetch_seconds"][2]) + 1)
    half = len(series) // 2
    assert ends[:half] == sorted(ends[:half])
    assert ends[half:] == sorted(ends[half:])


def gauges(value):
    """Return metrics whose gauges all have a value."""
    metrics = Metrics()
    for name, (_, labels) in GAUGES.items():
        metrics.set_gauge_reader(name, lambda labels=labels: {tuple("x" * len(labels)): value})
    return metrics


@pytest.mark.parametrize("name", GAUGES)
async def test_amounts_are_summed_and_other_gauges_name_their_worker(name):
    """A gauge of a worker that does not answer is left out."""
    merged = MergedMetrics()
    for worker, value in ((1, 2.0), (2, 3.0), (3, 100.0)):
        merged.note(worker, await format_exposition(gauges(value)))
    found = {
        dict(labels).get("worker"): value
        for (sample, labels), value in read(merged.format({1, 2}, 2)).items()
        if sample == f"newsintel_{name}"
    }
    if f"newsintel_{name}" in SUMMED_GAUGES:
        assert found == {None: 5.0}
    else:
        assert found == {"1": 2.0, "2": 3.0}


async def test_gauges_of_a_process_name_their_worker():
    """Its counters, such as CPU time, are summed."""
    merged = MergedMetrics()
    for worker in (1, 2):
        merged.note(worker, await format_exposition(Metrics()))
    found = {(name, dict(labels).get("worker")) for name, labels in read(merged.format({1, 2}, 2))}
    for worker in ("1", "2"):
        assert ("process_resident_memory_bytes", worker) in found
        assert ("process_start_time_seconds", worker) in found
    assert ("process_cpu_seconds_total", None) in found


async def test_a_sum_never_falls_when_a_worker_ends():
    """Otherwise Prometheus would count everything again, as after a restart of the service."""
    merged, counts = MergedMetrics(), []

    def total(answered, serving=1):
        found = read(merged.format(answered, serving))
        return found["newsintel_dead_letters_total", frozenset()]

    for worker, number in ((1, 7), (2, 5)):
        metrics = Metrics()
        metrics.count("dead_letters", number)
        merged.note(worker, await format_exposition(metrics))
    counts.append(total({1, 2}))
    counts.append(total({1}))  # the second one is busy
    merged.retire(2)
    merged.retire(3)  # ended before anybody asked it
    merged.restarts += 1
    counts.append(total({1}))
    merged.note(2, await format_exposition(Metrics()))
    counts.append(total({1, 2}))
    merged.note(2, await format_exposition(count_one()))
    counts.append(total({1, 2}))
    assert counts == [12, 12, 12, 12, 13]
    found = read(merged.format(set(), 0))
    assert found["newsintel_worker_restarts_total", frozenset()] == 1
    assert found["newsintel_workers", frozenset()] == 0


def count_one():
    """Return metrics with one dead letter."""
    metrics = Metrics()
    metrics.count("dead_letters")
    return metrics
