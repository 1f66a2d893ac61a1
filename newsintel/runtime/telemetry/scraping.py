"""Reads all metrics of a running service.

Thousands of lines take 10 ms, so everything that does not need the loop is read in a thread.
"""

from collections.abc import Callable
from typing import TypeVar

import trio
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from newsintel.domain.operations.metrics import Samples
from newsintel.runtime.telemetry.metrics import Metrics

T = TypeVar("T")


async def format_exposition(metrics: Metrics) -> bytes:
    """Return all current values in Prometheus' text format 0.0.4."""
    return b"".join(await _read(metrics, generate_latest))


async def read_samples(metrics: Metrics) -> Samples:
    """Return all current values."""
    counters, gauges = await _read(metrics, samples_of)
    return {**counters, **gauges}


def samples_of(registry: CollectorRegistry) -> Samples:
    """Return all current values of a registry."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


def parse_samples(exposition: bytes, prefixes: tuple[str, ...]) -> Samples:
    """Return the values in an exposition whose names begin with one of some prefixes.

    The others are not parsed: most lines of a busy service are about single routes.
    """
    lines = [line for line in exposition.decode().splitlines() if line.startswith(prefixes)]
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families("\n".join(lines) + "\n")
        for sample in family.samples
    }


async def _read(metrics: Metrics, read: Callable[[CollectorRegistry], T]) -> tuple[T, T]:
    gauges = read(metrics.gauges)
    return await trio.to_thread.run_sync(read, metrics.registry), gauges
