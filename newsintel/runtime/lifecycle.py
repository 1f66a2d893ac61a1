"""The life cycle of the service: its phases, its shutdown and its garbage collection."""

import gc
import resource
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

import trio

from newsintel.domain.operations.ports import Phase, StoreHealth
from newsintel.errors import UnavailableError
from newsintel.runtime.heartbeats import Heartbeats
from newsintel.runtime.stopping import first_signal_name
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

Ping = Callable[[], Awaitable[None]]

END_SLACK_S = 5.0
"""A shutdown that takes END_SLACK_S longer than DRAIN_S is stuck.

With a DRAIN_S of 20 s the limit is 25 s, within a container's usual 30 s.
"""

GC_YOUNG = 5_000
"""Number of new objects that starts a garbage collection.

A collection blocks the loop, and its time grows with the objects that it examines. These are the
new ones and the survivors of the collection before: at most 10,000, about 3 ms. To examine a full
memory of answers takes 0.2 s.
"""

GC_COLLECTIONS_PER_FREEZE = 10
"""Number of collections after which their survivors are frozen: later ones skip them.

Nearly all of them are answers, which are not part of reference cycles. Cycles that an answered
request leaves behind (an error, a closed connection) are younger.
"""

GC_FREEZES_PER_FULL = 1_000
"""Number of freezes after which one full collection runs.

It finds objects that became part of a cycle when they were old. It runs after about 100 million new
objects, which takes a busy service days, and it examines the full memory.
"""

GC_MAX_GROWTH_BYTES = 64 * 2**20
"""Growth of the peak memory since the last full collection after which the next one runs early.

It bounds what cycles that we do not know can hold. While the caches fill, it runs a few times.
"""

_MIDDLE_GENERATION, _OLDEST_GENERATION = 1, 2  # gc's numbers of the generations above the young one
_NEVER = 2**31 - 1


class Lifecycle:
    """Implements `ports.Health` for the health routes."""

    def __init__(self, ping_postgresql: Ping, ping_redis: Ping, heartbeats: Heartbeats) -> None:
        self._ping_postgresql = ping_postgresql
        self._ping_redis = ping_redis
        self._heartbeats = heartbeats
        self._phase = Phase.STARTING
        self._stores: StoreHealth | None = None

    def get_phase(self) -> Phase:
        """Return the current phase of the service."""
        return self._phase

    def enter_phase(self, phase: Phase) -> None:
        """Enter the next phase."""
        self._phase = phase

    def get_stores(self) -> StoreHealth | None:
        """Return the result of the last check; None before the first."""
        return self._stores

    def list_silent_actors(self) -> Sequence[str]:
        """Return the actors that have ended or do not get on with their work."""
        return self._heartbeats.list_silent()

    async def check_stores(self) -> None:
        """Check whether each store responds."""
        self._stores = StoreHealth(
            postgresql=await _is_responding(self._ping_postgresql),
            redis=await _is_responding(self._ping_redis),
        )


async def _is_responding(ping: Ping) -> bool:
    try:
        await ping()
    except UnavailableError:
        return False
    return True


class Shutdown:
    """Ends the service: in order, or at once if it does not serve yet or on a second signal.

    Args:
        give_up: cancels the service.
        drain_s: the time that an orderly shutdown may take, for the log.

    Attributes:
        begun: set when the shutdown begins.
        in_order: whether accepted work is finished before the end.
    """

    def __init__(self, give_up: Callable[[], object], drain_s: float) -> None:
        self.begun = trio.Event()
        self.in_order = False
        self._give_up = give_up
        self._drain_s = drain_s

    def begin(self) -> None:
        """Begin the shutdown."""
        log.info("stopping", signal=first_signal_name(), within_s=self._drain_s)
        self.begun.set()
        if not self.in_order:
            self._give_up()

    def end_now(self) -> None:
        """End at once."""
        log.warning("giving_up")
        self.in_order = False
        self._give_up()


def configure_gc() -> None:
    """Configure garbage collection after the start.

    Objects that exist now are frozen; new ones are examined in small collections.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_YOUNG, 0, _NEVER)
    gc.callbacks.append(FreezeSurvivors(read_peak_bytes))


class FreezeSurvivors:
    """A callback of the collector that freezes survivors. It cannot start a collection itself."""

    def __init__(self, read_peak_bytes: Callable[[], int]) -> None:
        self._put_aside = 0
        self._full_due = False
        self._read_peak_bytes = read_peak_bytes
        self._peak_bytes = read_peak_bytes()

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        """Freeze the survivors after GC_COLLECTIONS_PER_FREEZE collections.

        After GC_FREEZES_PER_FULL freezes, or if the memory has grown by GC_MAX_GROWTH_BYTES,
        examine all objects.
        """
        if phase != "stop":
            return
        if info["generation"] == _OLDEST_GENERATION:
            self._full_due = False
            gc.set_threshold(GC_YOUNG, 0, _NEVER)
            gc.freeze()
        elif (
            info["generation"] == _MIDDLE_GENERATION
            and gc.get_count()[_OLDEST_GENERATION] >= GC_COLLECTIONS_PER_FREEZE
            and not self._full_due  # Python itself delays it until enough objects are new
        ):
            self._put_aside += 1
            if self._put_aside % GC_FREEZES_PER_FULL and not self._has_grown():
                gc.freeze()
            else:
                self._full_due = True
                gc.unfreeze()
                gc.set_threshold(GC_YOUNG, 0, 0)

    def _has_grown(self) -> bool:
        """Whether the memory has grown by GC_MAX_GROWTH_BYTES since this was last true."""
        peak = self._read_peak_bytes()
        if peak < self._peak_bytes + GC_MAX_GROWTH_BYTES:
            return False
        self._peak_bytes = peak
        return True


def read_peak_bytes() -> int:
    """Return the most memory that this process has had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
