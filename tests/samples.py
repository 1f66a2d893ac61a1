"""Reads back what a service has counted."""

from newsintel.domain.operations.metrics import Samples
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.runtime.telemetry.scraping import samples_of


def read_samples(metrics: Metrics) -> Samples:
    """Every current value."""
    return {**samples_of(metrics.registry), **samples_of(metrics.gauges)}


def read_counter(metrics: Metrics, name: str, **labels: str) -> float:
    """The value of a counter; 0 if it has never counted."""
    return metrics.registry.get_sample_value(f"newsintel_{name}_total", labels) or 0.0
