"""What an operator looks at first, from one reading of all metrics. Pure.

Counts and percentiles are those since the start. Workers have series of their own for some gauges:
those that count are added up, of the others the worst counts.
"""

from collections.abc import Callable, Iterable, Mapping

from attrs import frozen

from newsintel.domain.operations.emf import Interval, compute_hit_ratio
from newsintel.domain.operations.metrics import Samples
from newsintel.domain.search.outcome import Status

MEDIAN, SLOWEST = 0.5, 0.95
"""The shares of fetches whose times are shown."""

PREFIXES = tuple(
    f"newsintel_{name}"
    for name in (
        *("queue_", "source_", "quota_left", "fetch_seconds", "outcomes", "searches_total"),
        *("flights", "connections", "requests_waiting", "store_slots_used", "redis_breaker_open"),
        *("spool_bytes", "actor_silence_seconds", "workers"),
    )
)
"""The names of all samples that `build_overview` reads begin with one of these."""


@frozen
class QueueState:
    """What waits for an actor.

    Attributes:
        waiting: messages.
        room: how many messages fit, in all workers.
        age_s: nothing in it is older.
    """

    waiting: int
    room: int
    age_s: float

    @property
    def fill(self) -> float:
        """The part of the room that is taken, 0..1."""
        return self.waiting / self.room if self.room else 0.0


@frozen
class SourceHealth:
    """A source as calls to it went.

    Attributes:
        blocked: why it is not asked now; () if it is.
        quota_left: calls; None if it has no quota.
        deadline_ms: of one fetch.
        median_ms: half of the fetches took at most this; None before the first.
        slowest_ms: 95 % took at most this.
        outcomes: fetches by status, without those that did not happen.
    """

    blocked: tuple[str, ...]
    quota_left: int | None
    deadline_ms: float
    median_ms: float | None
    slowest_ms: float | None
    outcomes: Mapping[str, int]

    @property
    def circuit_open(self) -> bool:
        """Whether it is paused because of its failures."""
        return Status.CIRCUIT_OPEN in self.blocked


@frozen
class Overview:
    """The state of the service.

    Attributes:
        workers: processes that serve; 1 if there is one process alone.
        totals: of gauges without labels, by their names, e.g. `flights`.
        queues: by actor.
        silence_s: by actor: for how long it has not got on with one piece of work.
        sources: the enabled ones, by name.
        searches: answered, by how.
        hit_ratio: the share of them that was answered from a cache, 0..1; None before the first.
        slots_used: operations that run now, by store.
        redis_breaker_open: whether Redis is not asked because it did not answer.
        spooled_bytes: what waits for PostgreSQL, by place.
    """

    workers: int
    totals: Mapping[str, int]
    queues: Mapping[str, QueueState]
    silence_s: Mapping[str, float]
    sources: Mapping[str, SourceHealth]
    searches: Mapping[str, int]
    hit_ratio: float | None
    slots_used: Mapping[str, int]
    redis_breaker_open: bool
    spooled_bytes: Mapping[str, int]


def build_overview(samples: Samples, deadlines_s: Mapping[str, float]) -> Overview:
    """Return the overview.

    Args:
        samples: at least those whose names begin with PREFIXES.
        deadlines_s: of one fetch, by enabled source.
    """
    now = Interval({}, samples)
    depth, room = (_collect(samples, f"queue_{one}", "inbox") for one in ("depth", "room"))
    ages_s = _collect(samples, "queue_age_seconds", "inbox", max)
    return Overview(
        workers=int(now.last_value("newsintel_workers") or 1),
        totals={
            name: int(now.last_value(f"newsintel_{name}") or 0)
            for name in ("flights", "connections", "requests_waiting")
        },
        queues={
            name: QueueState(int(waiting), int(room[name]), ages_s[name])
            for name, waiting in depth.items()
        },
        silence_s=_collect(samples, "actor_silence_seconds", "actor", max),
        sources={
            name: _describe_source(name, deadline_s, samples)
            for name, deadline_s in deadlines_s.items()
        },
        searches=_count(samples, "searches_total", "via"),
        hit_ratio=compute_hit_ratio(now),
        slots_used=_count(samples, "store_slots_used", "store"),
        redis_breaker_open=bool(now.last_value("newsintel_redis_breaker_open")),
        # The workers share both places.
        spooled_bytes=_count(samples, "spool_bytes", "place", max),
    )


def _describe_source(name: str, deadline_s: float, samples: Samples) -> SourceHealth:
    own = {key: value for key, value in samples.items() if ("source", name) in key[1]}
    fetches = Interval({}, own)
    return SourceHealth(
        blocked=tuple(
            sorted(name for name, on in _collect(own, "source_blocked", "reason").items() if on)
        ),
        quota_left=_count(own, "quota_left", "source", min).get(name),
        deadline_ms=1000 * deadline_s,
        median_ms=fetches.percentile_ms(MEDIAN, "newsintel_fetch_seconds"),
        slowest_ms=fetches.percentile_ms(SLOWEST, "newsintel_fetch_seconds"),
        outcomes=_count(own, "outcomes_total", "status"),
    )


def _collect(
    samples: Samples, name: str, label: str, together: Callable[[Iterable[float]], float] = sum
) -> dict[str, float]:
    """Return a metric's values by one of its labels, in the order of the samples."""
    found: dict[str, list[float]] = {}
    for (sample, labels), value in samples.items():
        if sample == f"newsintel_{name}":
            found.setdefault(dict(labels)[label], []).append(value)
    return {key: together(values) for key, values in found.items()}


def _count(
    samples: Samples, name: str, label: str, together: Callable[[Iterable[float]], float] = sum
) -> dict[str, int]:
    return {key: int(value) for key, value in _collect(samples, name, label, together).items()}
