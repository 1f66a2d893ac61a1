"""What operators measure: counters, histograms and gauges."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from newsintel.domain.operations.metrics import COUNTERS, GAUGES, HISTOGRAMS, Reading

disable_created_metrics()  # type: ignore[no-untyped-call]  # a further series for each counter and histogram, of which Prometheus makes nothing


class _Gauges(Collector):
    """Gauges that are read when somebody asks, so that keeping them costs nothing."""

    def __init__(self) -> None:
        self.readings: dict[str, Reading] = {}

    def collect(self) -> Iterator[Metric]:
        for name, read in self.readings.items():
            meaning, labels = GAUGES[name]
            family = GaugeMetricFamily(f"newsintel_{name}", meaning, labels=labels)
            for values, value in read().items():
                family.add_metric(values, value)
            yield family


class Metrics:
    """The service's numbers, in registries of their own, so that two services in one process stay apart.

    Attributes:
        registry: counters, histograms, and what is told of the process; may be read in any thread.
        gauges: read off the service's own parts, so by its loop alone.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._gauges = _Gauges()
        self.gauges = CollectorRegistry()
        self.gauges.register(self._gauges)
        self._families: dict[str, Any] = {
            name: Counter(f"newsintel_{name}", meaning, labels, registry=self.registry) for name, (meaning, labels) in COUNTERS.items()
        } | {
            name: Histogram(f"newsintel_{name}", meaning, labels, registry=self.registry, buckets=buckets)
            for name, (meaning, labels, buckets) in HISTOGRAMS.items()
        }
        self._children: dict[tuple[object, ...], Any] = {}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter; an unknown name or label is a bug and raises."""
        self._child(name, labels).inc(amount)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add a value to a histogram; an unknown name or label is a bug and raises."""
        self._child(name, labels).observe(value)

    def watch(self, name: str, read: Reading) -> None:
        """Have a gauge read by `read`, which must neither wait nor raise; an unknown name is a bug and raises."""
        GAUGES[name]
        self._gauges.readings[name] = read

    def _child(self, name: str, labels: dict[str, str]) -> Any:
        """A family's member with these labels, remembered: prometheus_client takes 6 us to find it, this 1 us."""
        key = (name, *labels.items())
        child = self._children.get(key)
        if child is None:
            family = self._families[name]
            child = self._children[key] = family.labels(**labels) if labels else family
        return child
