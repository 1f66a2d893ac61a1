"""Counters and gauges. Kept with prometheus_client in a registry of the service's own, so that two services in one process stay apart."""

from prometheus_client import CollectorRegistry, Counter

COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "outcomes": ("What sources answered.", ("source", "status")),
    "dropped_articles": ("Rows of a source's payload that were refused.", ("source", "reason")),
    "late_outcomes": ("Outcomes that came after their flight had landed.", ("source",)),
    "job_bugs": ("Bugs caught inside a fetch job.", ("source",)),
    "flight_bugs": ("Bugs caught inside a flight.", ()),
    "refusals": ("Messages that a full or closed inbox did not take.", ("inbox",)),
    "cache_errors": ("Redis operations that failed and were done without.", ("operation",)),
    "cache_mismatches": ("Cached values that were unreadable or not of their key; treated as a miss.", ()),
    "archived_articles": ("Articles saved, new or refreshed.", ()),
    "dead_letters": ("Articles that can never be saved, put aside with the reason.", ()),
    "lost_articles": ("Articles accepted and not saved: the archive stayed away longer than shutdown allows.", ()),
    "archive_retries": ("Batches tried again.", ()),
    "recorded_searches": ("Rows added to the search history.", ()),
}
"""Every counter: its meaning and labels. On /metrics a name is `newsintel_<name>_total`."""


class Metrics:
    """The service's counters."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = {
            name: Counter(f"newsintel_{name}", meaning, labels, registry=self.registry) for name, (meaning, labels) in COUNTERS.items()
        }

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter; an unknown name or label is a bug and raises."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def value(self, name: str, **labels: str) -> float:
        """A counter's value, 0 if it never counted."""
        return self.registry.get_sample_value(f"newsintel_{name}_total", labels) or 0.0
