"""The values of the gauges. Each is computed when it is read; nothing is updated in advance."""

from collections.abc import Callable, Mapping
from typing import Protocol

import trio

from newsintel import __version__
from newsintel.domain.limits.ports import SourceStates
from newsintel.domain.operations.ports import StoreLoad
from newsintel.runtime.telemetry.metrics import Metrics

Values = Mapping[tuple[str, ...], float]


class Inbox(Protocol):
    """One end of a channel, which knows how full the channel is."""

    def statistics(self) -> trio.MemoryChannelStatistics:
        """Return the channel's statistics."""
        ...


class Backlog:
    """The number of waiting messages in each inbox, and an upper bound for their age.

    The age is the time since a read last found the inbox empty: every message in it arrived later.
    So the age is never too small, and it is more exact if the gauges are read more often. Messages
    need not carry a time.
    """

    def __init__(self, inboxes: Mapping[str, Inbox]) -> None:
        self._inboxes = inboxes
        self._empty_at = dict.fromkeys(inboxes, trio.current_time())

    def depth(self) -> Values:
        """Return the number of waiting messages of each inbox."""
        return {(name,): inbox.statistics().current_buffer_used for name, inbox in self._inboxes.items()}

    def room(self) -> Values:
        """Return the capacity of each inbox in messages."""
        return {(name,): inbox.statistics().max_buffer_size for name, inbox in self._inboxes.items()}

    def age_s(self) -> Values:
        """Return the seconds since each inbox was last seen empty."""
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
    """Connect every gauge of `domain.operations.metrics.GAUGES` to the running service."""
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
