"""What the gauges read: nothing is kept up to date for them, each is worked out when somebody asks."""

from collections.abc import Callable, Mapping
from typing import Protocol

import trio

from newsintel import __version__
from newsintel.domain.limits.ports import SourceStates
from newsintel.domain.operations.ports import StoreLoad
from newsintel.runtime.telemetry.metrics import Metrics

Values = Mapping[tuple[str, ...], float]


class Inbox(Protocol):
    """A channel's end, as far as it tells how full the channel is."""

    def statistics(self) -> trio.MemoryChannelStatistics:
        """How full it is."""
        ...


class Backlog:
    """How much waits in each inbox and for how long at most.

    A message's own age would have to travel with it. Instead each look remembers when it last found an inbox empty: whatever is in it now
    came later. So an age is as exact as the looks are frequent, and never too small.
    """

    def __init__(self, inboxes: Mapping[str, Inbox]) -> None:
        self._inboxes = inboxes
        self._empty_at = dict.fromkeys(inboxes, trio.current_time())

    def depth(self) -> Values:
        """Messages that wait."""
        return {(name,): inbox.statistics().current_buffer_used for name, inbox in self._inboxes.items()}

    def room(self) -> Values:
        """Messages that could."""
        return {(name,): inbox.statistics().max_buffer_size for name, inbox in self._inboxes.items()}

    def age_s(self) -> Values:
        """Since each inbox was last seen empty."""
        now = trio.current_time()
        self._empty_at |= {name: now for (name,), depth in self.depth().items() if not depth}
        return {(name,): now - empty_at for name, empty_at in self._empty_at.items()}


def watch(
    metrics: Metrics,
    *,
    commit: str,
    inboxes: Mapping[str, Inbox],
    flights: Callable[[], int],
    states: SourceStates,
    load: Callable[[], StoreLoad],
) -> None:
    """Have every gauge of `telemetry.GAUGES` read off the parts of a running service."""
    backlog = Backlog(inboxes)
    metrics.watch("flights", lambda: {(): flights()})
    metrics.watch("queue_depth", backlog.depth)
    metrics.watch("queue_room", backlog.room)
    metrics.watch("queue_age_seconds", backlog.age_s)
    metrics.watch("source_ready", lambda: {(name,): state.blocked is None for name, state in states().items()})
    metrics.watch("source_blocked", lambda: {(name, state.blocked): 1 for name, state in states().items() if state.blocked})
    metrics.watch("quota_left", lambda: {(name,): state.quota_left for name, state in states().items() if state.quota_left is not None})
    metrics.watch("store_slots_used", lambda: {(store,): used for store, used in load().slots_used.items()})
    metrics.watch("redis_breaker_open", lambda: {(): load().redis_breaker_open})
    metrics.watch("build_info", lambda: {(__version__, commit): 1})
