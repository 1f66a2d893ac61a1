"""The values of the gauges. Each is computed when it is read; nothing is updated in advance."""

from collections.abc import Callable, Mapping
from typing import Protocol

import trio

from newsintel import __version__
from newsintel.domain.limits.ports import SourceStates
from newsintel.domain.operations.metrics import GaugeReader
from newsintel.domain.operations.ports import StoreLoad
from newsintel.runtime.telemetry.metrics import Metrics

Values = Mapping[tuple[str, ...], float]


class Inbox(Protocol):
    """One end of a channel, which knows how full the channel is."""

    def statistics(self) -> trio.MemoryChannelStatistics:
        """Return the channel's statistics."""
        ...


class QueueGauges:
    """The number of waiting messages in each inbox, and an upper bound for the age of each queue.

    The queues are the inboxes, and the places of the spool as `spool <place>`. The age is the time
    since a read last found the queue empty: everything in it arrived later. So the age is never too
    small, and it is more exact if the gauges are read more often. Messages need not carry a time.
    """

    def __init__(self, inboxes: Mapping[str, Inbox], spool_sizes: GaugeReader) -> None:
        self._inboxes = inboxes
        self._spool_sizes = spool_sizes
        self._empty_at: dict[str, float] = {}
        self._began = trio.current_time()

    def read_depth(self) -> Values:
        """Return the number of waiting messages of each inbox."""
        return {
            (name,): inbox.statistics().current_buffer_used for name, inbox in self._inboxes.items()
        }

    def read_capacity(self) -> Values:
        """Return the capacity of each inbox in messages."""
        return {
            (name,): inbox.statistics().max_buffer_size for name, inbox in self._inboxes.items()
        }

    def read_age_s(self) -> Values:
        """Return the seconds since each queue was last seen empty."""
        now = trio.current_time()
        sizes = {name: depth for (name,), depth in self.read_depth().items()}
        sizes |= {f"spool {place}": size for (place,), size in self._spool_sizes().items()}
        self._empty_at |= {name: now for name, size in sizes.items() if not size}
        return {(name,): now - self._empty_at.get(name, self._began) for name in sizes}


def connect_gauges(
    metrics: Metrics,
    *,
    commit: str,
    inboxes: Mapping[str, Inbox],
    flights: Callable[[], int],
    states: SourceStates,
    load: Callable[[], StoreLoad],
    spool_sizes: GaugeReader,
    silence: GaugeReader,
) -> None:
    """Connect every gauge of `domain.operations.metrics.GAUGES` to the running service."""
    backlog = QueueGauges(inboxes, spool_sizes)
    metrics.set_gauge_reader("flights", lambda: {(): flights()})
    metrics.set_gauge_reader("queue_depth", backlog.read_depth)
    metrics.set_gauge_reader("queue_room", backlog.read_capacity)
    metrics.set_gauge_reader("queue_age_seconds", backlog.read_age_s)
    metrics.set_gauge_reader(
        "source_ready", lambda: {(name,): state.blocked is None for name, state in states().items()}
    )
    metrics.set_gauge_reader(
        "source_blocked",
        lambda: {(name, state.blocked): 1 for name, state in states().items() if state.blocked},
    )
    metrics.set_gauge_reader(
        "quota_left",
        lambda: {
            (name,): state.quota_left
            for name, state in states().items()
            if state.quota_left is not None
        },
    )
    metrics.set_gauge_reader(
        "store_slots_used", lambda: {(store,): used for store, used in load().slots_used.items()}
    )
    metrics.set_gauge_reader("spool_bytes", spool_sizes)
    metrics.set_gauge_reader("actor_silence_seconds", silence)
    metrics.set_gauge_reader("tasks", lambda: {(): trio.lowlevel.current_statistics().tasks_living})
    metrics.set_gauge_reader("redis_breaker_open", lambda: {(): load().redis_breaker_open})
    metrics.set_gauge_reader("build_info", lambda: {(__version__, commit): 1})
