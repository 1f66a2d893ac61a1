"""The service's life as a process: its phases, the signals that end it, and a watchdog over its end."""

import faulthandler
import gc
import signal
from collections.abc import Awaitable, Callable

import trio

from newsintel.errors import UnavailableError
from newsintel.logs import get_logger
from newsintel.ports import Phase, Stores

log = get_logger(__name__)

Ping = Callable[[], Awaitable[None]]

WATCHDOG_SLACK_S = 5.0
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


async def heed_signals(
    shutdown: trio.Event, give_up: Callable[[], None], drain_s: float, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Begin an orderly end at the first SIGTERM or SIGINT; give up waiting at the second.

    Args:
        shutdown: set at the first.
        give_up: called at the second.
        task_status: started once a signal would be heeded.
        drain_s: what an orderly end may take; past that and WATCHDOG_SLACK_S the process writes every thread's traceback and exits 1.
    """
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for received in signals:
            if shutdown.is_set():
                log.warning("giving_up", signal=signal.Signals(received).name)
                give_up()
            else:
                log.info("stopping", signal=signal.Signals(received).name, within_s=drain_s)
                faulthandler.dump_traceback_later(drain_s + WATCHDOG_SLACK_S, exit=True)
                shutdown.set()


def settle_memory() -> None:
    """After start: let the collector pass over what lives as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
