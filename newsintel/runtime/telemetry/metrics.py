"""The metrics: counters, histograms and gauges."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from newsintel.domain.operations.metrics import COUNTERS, GAUGES, HISTOGRAMS, GaugeReader

# They would be one more series per counter and histogram, which Prometheus does not use.
disable_created_metrics()  # type: ignore[no-untyped-call]


class _Gauges(Collector):
    """Gauges that are computed when they are read, so they cost nothing at other times."""

    def __init__(self) -> None:
        self.readings: dict[str, GaugeReader] = {}

    def collect(self) -> Iterator[Metric]:
        for name, read in self.readings.items():
            meaning, labels = GAUGES[name]
            family = GaugeMetricFamily(f"newsintel_{name}", meaning, labels=labels)
            for values, value in read().items():
                family.add_metric(values, value)
            yield family


class Metrics:
    """The service's metrics, in registries of their own, so two services can share one process.

    Attributes:
        registry: counters, histograms and metrics of the process; any thread may read it.
        gauges: read the service's own objects, so only its loop may read them.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._gauges = _Gauges()
        self.gauges = CollectorRegistry()
        self.gauges.register(self._gauges)
        self._families: dict[str, Any] = {
            name: Counter(f"newsintel_{name}", meaning, labels, registry=self.registry)
            for name, (meaning, labels) in COUNTERS.items()
        } | {
            name: Histogram(
                f"newsintel_{name}", meaning, labels, registry=self.registry, buckets=buckets
            )
            for name, (meaning, labels, buckets) in HISTOGRAMS.items()
        }
        self._children: dict[tuple[object, ...], Any] = {}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter. An unknown name or label is a bug and raises."""
        self._get_child(name, labels).inc(amount)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add a value to a histogram. An unknown name or label is a bug and raises."""
        self._get_child(name, labels).observe(value)

    def set_gauge_reader(self, name: str, read: GaugeReader) -> None:
        """Set the function that reads a gauge. It must neither wait nor raise.

        An unknown name is a bug and raises.
        """
        GAUGES[name]
        self._gauges.readings[name] = read

    def _get_child(self, name: str, labels: dict[str, str]) -> Any:
        """Return a family's member with these labels from a cache.

        The cache takes 1 us, prometheus_client's own look-up 6 us.
        """
        key = (name, *labels.items())
        child = self._children.get(key)
        if child is None:
            family = self._families[name]
            child = self._children[key] = family.labels(**labels) if labels else family
        return child
