"""The service's life as a process: its phases and its end."""

import gc
from collections.abc import Awaitable, Callable, Mapping

import trio

from newsintel.domain.operations.ports import Phase, Stores
from newsintel.errors import UnavailableError
from newsintel.runtime.stopping import asked_by
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

Ping = Callable[[], Awaitable[None]]

END_SLACK_S = 5.0
"""A shutdown that has taken this much longer than DRAIN_S is stuck. With 20 s that makes 25, inside a container's usual 30."""

GC_YOUNG = 5_000
"""New objects that make the collector look at them. A collection holds everybody up for as long as it has objects to look at: for these
and their elders of one collection ago, at most 10,000, some 3 ms; for a full memory of answers 0.2 s."""

GC_ELDERS = 10
"""Collections whose survivors the collector passes over from then on: nearly all are answers, which no cycle holds. What an answered
request leaves in cycles (an error, a closed connection) is younger."""

GC_ALL = 1_000
"""Of these, the number after which once all is looked at, for what became part of a cycle when it was old: a connection that was open for
hours. Some 100 million new objects, days of a busy service; it takes as long as a full memory does."""

_ELDERS, _ALL = 1, 2  # the collector's names for its generations above the young
_NEVER = 2**31 - 1


class Lifecycle:
    """What the health routes ask (`ports.Health`)."""

    def __init__(self, ping_postgresql: Ping, ping_redis: Ping) -> None:
        self._ping_postgresql = ping_postgresql
        self._ping_redis = ping_redis
        self._phase = Phase.STARTING

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
    """After start: let the collector pass over what lives long, and look at what is young a little at a time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_YOUNG, 0, _NEVER)
    gc.callbacks.append(_Elders())


class _Elders:
    """Puts those who survived aside; one of the collector's callbacks, in which it cannot be called itself."""

    def __init__(self) -> None:
        self._put_aside = 0

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        """After a collection: pass over its survivors from now on, if there are many; once in a long while have all looked at."""
        if phase != "stop":
            return
        if info["generation"] == _ALL:
            gc.set_threshold(GC_YOUNG, 0, _NEVER)
            gc.freeze()
        elif info["generation"] == _ELDERS and gc.get_count()[_ALL] >= GC_ELDERS:
            self._put_aside += 1
            if self._put_aside % GC_ALL:
                gc.freeze()
            else:
                gc.unfreeze()
                gc.set_threshold(GC_YOUNG, 0, 0)
