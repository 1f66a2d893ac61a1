"""The service's life as a process: its phases and its end."""

import gc
from collections.abc import Awaitable, Callable

import trio

from newsintel.errors import UnavailableError
from newsintel.logs import get_logger
from newsintel.ports import Phase, Stores
from newsintel.stopping import asked_by

log = get_logger(__name__)

Ping = Callable[[], Awaitable[None]]

END_SLACK_S = 5.0
"""A shutdown that has taken this much longer than DRAIN_S is stuck. With 20 s that makes 25, inside a container's usual 30."""

GC_THRESHOLD = 50_000
"""Allocations between collections, against CPython's 700: with a frozen start-up heap a hit's p99 went from 36 ms to 1.9 ms."""


class Lifecycle:
    """What the health routes ask (`ports.Health`)."""

    def __init__(self, ping_postgresql: Ping, ping_redis: Ping) -> None:
        self._ping_postgresql = ping_postgresql
        self._ping_redis = ping_redis
        self._phase = Phase.STARTING

    def alive(self) -> bool:
        """Always True: an actor or loop that dies takes the process with it, so whoever can answer lives."""
        return True

    def phase(self) -> Phase:
        """Where the service is in its life."""
        return self._phase

    def enter(self, phase: Phase) -> None:
        """Go on to the next phase."""
        self._phase = phase

    async def stores(self) -> Stores:
        """Ask each store for a sign of life."""
        return Stores(postgresql=await _answers(self._ping_postgresql), redis=await _answers(self._ping_redis))


async def _answers(ping: Ping) -> bool:
    try:
        await ping()
    except UnavailableError:
        return False
    return True


class Ending:
    """How a service that serves ends: in order, unless somebody insists. One that does not serve yet ends at once.

    Args:
        give_up: cancels the service.
        drain_s: what an orderly end may take, for the log.

    Attributes:
        begun: set once the service is to end.
        in_order: whether what was accepted is to be finished.
    """

    def __init__(self, give_up: Callable[[], object], drain_s: float) -> None:
        self.begun = trio.Event()
        self.in_order = False
        self._give_up = give_up
        self._drain_s = drain_s

    def begin(self) -> None:
        """End."""
        log.info("stopping", signal=asked_by(), within_s=self._drain_s)
        self.begun.set()
        if not self.in_order:
            self._give_up()

    def insist(self) -> None:
        """End now."""
        log.warning("giving_up")
        self.in_order = False
        self._give_up()


def settle_memory() -> None:
    """After start: let the collector pass over what lives as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
