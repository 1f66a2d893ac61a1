"""Writes metrics in CloudWatch's embedded metric format (EMF).

CloudWatch Logs turns this JSON into metrics. Pure: two readings of the registry in, a document out.
`build_metrics` has the only list of emitted metrics; `newsintel config --metrics` prints it.
The format: docs.aws.amazon.com, CloudWatch_Embedded_Metric_Format_Specification.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from operator import methodcaller
from typing import Any

from attrs import frozen

from newsintel.domain.operations.metrics import COUNTERS, Samples
from newsintel.domain.search.outcome import Status

NAMESPACE = "newsintel"
DIMENSION = "env"
"""The only dimension: the processes of one environment share one metric, so alarms do not depend on
their number."""
MOST_METRICS = 100
"""Maximum metrics in one directive of a document (limit of the specification). Further ones go into
the next directive."""
INBOXES = ("merger", "cache_writer", "persister", "recorder")
"""All inboxes except those of the fetchers."""
STORES = ("PostgreSQL", "Redis")


@frozen
class Interval:
    """All samples at the start and at the end of an interval."""

    before: Samples
    after: Samples

    def increase(self, sample: str, **labels: str) -> float:
        """Return the total increase of the samples with these labels; 0 if there is none."""
        return sum(
            self.after[key] - self.before.get(key, 0.0)
            for key in self._find_samples(sample, labels)
        )

    def last_value(self, sample: str, **labels: str) -> float | None:
        """Return the sum of the samples with these labels at the end; None if there is none."""
        found = self._find_samples(sample, labels)
        return sum(self.after[key] for key in found) if found else None

    def percentile_ms(self, share: float, histogram: str, **labels: str) -> float | None:
        """Return a percentile in ms, interpolated linearly within its bucket; None without data.

        Values above the last bucket count as the end of that bucket.
        """
        wanted = share * self.increase(f"{histogram}_count", **labels)
        if not wanted:
            return None
        ends = {dict(found)["le"] for _, found in self._find_samples(f"{histogram}_bucket", labels)}
        low_s, below = 0.0, 0.0
        for end in sorted(ends - {"+Inf"}, key=float):
            reached = self.increase(f"{histogram}_bucket", le=end, **labels)
            if reached >= wanted:
                return 1000 * (low_s + (float(end) - low_s) * (wanted - below) / (reached - below))
            low_s, below = float(end), reached
        return 1000 * low_s

    def _find_samples(
        self, sample: str, labels: Mapping[str, str]
    ) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
        return [
            key for key in self.after if key[0] == sample and labels.items() <= dict(key[1]).items()
        ]


@frozen
class Metric:
    """How to read a metric from an interval, and its CloudWatch unit. None = no value this time."""

    unit: str
    read: Callable[[Interval], float | None]


def build_metrics(sources: Iterable[str]) -> dict[str, Metric]:
    """Return all metrics by name: those of the service, then of each source, inbox and store."""
    sources = tuple(sources)
    every = {
        name: Metric("Count", methodcaller("increase", f"newsintel_{name}_total"))
        for name in COUNTERS
    }
    every |= {
        "searches_failed": Metric(
            "Count", methodcaller("increase", "newsintel_searches_total", via="failed")
        ),
        "hit_ratio": Metric("None", compute_hit_ratio),
        "http_requests": Metric(
            "Count", methodcaller("increase", "newsintel_http_request_seconds_count")
        ),
        "http_5xx": Metric(
            "Count", methodcaller("increase", "newsintel_http_request_seconds_count", status="5xx")
        ),
        "flights": Metric("Count", methodcaller("last_value", "newsintel_flights")),
        "redis_breaker_open": Metric(
            "None", methodcaller("last_value", "newsintel_redis_breaker_open")
        ),
        "spool_bytes": Metric("Bytes", methodcaller("last_value", "newsintel_spool_bytes")),
        "cpu_s": Metric("Seconds", methodcaller("increase", "process_cpu_seconds_total")),
        "resident_memory_bytes": Metric(
            "Bytes", methodcaller("last_value", "process_resident_memory_bytes")
        ),
        "open_fds": Metric("Count", methodcaller("last_value", "process_open_fds")),
    }
    for source in sources:
        every |= {
            f"fetch_p99_ms_{source}": Metric(
                "Milliseconds",
                methodcaller("percentile_ms", 0.99, "newsintel_fetch_seconds", source=source),
            ),
            f"fetch_failures_{source}": Metric("Count", partial(_count_failures, source)),
            f"source_ready_{source}": Metric(
                "None", methodcaller("last_value", "newsintel_source_ready", source=source)
            ),
            f"quota_left_{source}": Metric(
                "Count", methodcaller("last_value", "newsintel_quota_left", source=source)
            ),
        }
    for inbox in (*INBOXES, *(f"fetcher {source}" for source in sources)):
        name = inbox.replace(" ", "_")
        every |= {
            f"queue_depth_{name}": Metric(
                "Count", methodcaller("last_value", "newsintel_queue_depth", inbox=inbox)
            ),
            f"queue_age_s_{name}": Metric(
                "Seconds", methodcaller("last_value", "newsintel_queue_age_seconds", inbox=inbox)
            ),
        }
    for store in STORES:
        every[f"slots_used_{store.lower()}"] = Metric(
            "Count", methodcaller("last_value", "newsintel_store_slots_used", store=store)
        )
    return every


def build_document(
    metrics: Mapping[str, Metric], interval: Interval, moment: datetime, labels: Mapping[str, str]
) -> dict[str, Any]:
    """Return the JSON object of one line.

    Args:
        metrics: those of `build_metrics`. Metrics without a value are left out.
        interval: the source of the values.
        moment: the end of the interval.
        labels: further members. The one named DIMENSION is required.
    """
    values = {
        name: value
        for name, metric in metrics.items()
        if (value := metric.read(interval)) is not None
    }
    definitions = [{"Name": name, "Unit": metrics[name].unit} for name in values]
    directives = [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [[DIMENSION]],
            "Metrics": definitions[start : start + MOST_METRICS],
        }
        for start in range(0, len(definitions), MOST_METRICS)
    ]
    return {
        "_aws": {"Timestamp": round(moment.timestamp() * 1000), "CloudWatchMetrics": directives},
        **labels,
        **values,
    }


def compute_hit_ratio(interval: Interval) -> float | None:
    """Return the share of searches that caused no call to a source."""
    searches = interval.increase("newsintel_searches_total")
    hits = sum(
        interval.increase("newsintel_searches_total", via=via) for via in ("hit", "revalidated")
    )
    return hits / searches if searches else None


def _count_failures(source: str, interval: Interval) -> float:
    return sum(
        interval.increase("newsintel_outcomes_total", source=source, status=status)
        for status in Status
        if status.failed
    )
