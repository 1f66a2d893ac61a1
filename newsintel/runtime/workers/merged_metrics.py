"""The metrics of all workers as one exposition.

Counters and histograms are summed. What an ended worker had counted stays in the sums: if a sum
fell, Prometheus would take it for a restart and count everything again. A worker that does not
answer counts with its last numbers, for the same reason. Gauges are those of the workers that
answered: sums for SUMMED_GAUGES, a series for each worker for all others.

prometheus_client reads and writes the text, so this module knows only its families.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from newsintel.domain.operations.metrics import SUMMED_GAUGES, WORKER_METRICS

Families = Mapping[str, Metric]

SUMMED_TYPES = ("counter", "histogram")

WORKER = "worker"
"""The label of a series that one worker has."""


class MergedMetrics:
    """The last metrics of each worker, and the sums of ended workers.

    Attributes:
        restarts: how many workers were started again.
    """

    def __init__(self) -> None:
        self.restarts = 0
        self._last: dict[int, Families] = {}
        self._ended: Families = {}

    def note(self, worker: int, exposition: bytes) -> None:
        """Keep what a worker answered."""
        self._last[worker] = parse_exposition(exposition)

    def retire(self, worker: int) -> None:
        """Add the last counts of a worker that has ended to the sums."""
        last = self._last.pop(worker, {})
        self._ended = merge_families([self._ended, _select_summed(last)])

    def format(self, answered: Collection[int], serving: int) -> bytes:
        """Return the exposition.

        Args:
            answered: the workers whose last metrics are current.
            serving: how many workers accept connections.
        """
        parts = [
            _label_gauges(last, worker) if worker in answered else _select_summed(last)
            for worker, last in sorted(self._last.items())
        ]
        merged = merge_families([self._ended, *parts])
        own = {"workers": serving, "worker_restarts": self.restarts}
        return generate_latest(_Families([*merged.values(), *_build_own(own)]))


def parse_exposition(exposition: bytes) -> Families:
    """Return the families of an exposition by name."""
    return {
        family.name: family for family in text_string_to_metric_families(exposition.decode("utf-8"))
    }


def merge_families(parts: Iterable[Families]) -> Families:
    """Add up the samples that have the same name and labels."""
    merged: dict[str, Metric] = {}
    sums: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for part in parts:
        for name, family in part.items():
            merged.setdefault(name, Metric(name, family.documentation, family.type))
            of_family = sums.setdefault(name, {})
            for sample in family.samples:
                key = sample.name, tuple(sample.labels.items())
                of_family[key] = of_family.get(key, 0.0) + sample.value
    for name, of_family in sums.items():
        for (sample_name, labels), value in of_family.items():
            merged[name].add_sample(sample_name, dict(labels), value)
    return merged


def _select_summed(families: Families) -> Families:
    return {name: family for name, family in families.items() if family.type in SUMMED_TYPES}


def _label_gauges(families: Families, worker: int) -> Families:
    """Return the families of a worker, with its number at the gauges that are not summed."""
    labelled = dict(families)
    for name, family in families.items():
        if family.type not in SUMMED_TYPES and name not in SUMMED_GAUGES:
            own = labelled[name] = Metric(name, family.documentation, family.type)
            for sample in family.samples:
                own.add_sample(sample.name, {**sample.labels, WORKER: str(worker)}, sample.value)
    return labelled


def _build_own(values: Mapping[str, float]) -> Iterator[Metric]:
    for name, (kind, meaning) in WORKER_METRICS.items():
        family = Metric(f"newsintel_{name}", meaning, kind)
        suffix = "_total" if kind == "counter" else ""
        family.add_sample(f"newsintel_{name}{suffix}", {}, values[name])
        yield family


class _Families(Collector):
    """Families as prometheus_client's writer reads them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
