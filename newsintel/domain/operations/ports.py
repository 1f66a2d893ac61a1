"""Protocols for what metrics and health probes need."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Protocol

from attrs import frozen

from newsintel.domain.operations.latencies import Latency


class LatencyStore(Protocol):
    """Latency counts in Redis, for the latency writer and the `deadlines` command.

    Nothing in it is older than eight days.
    """

    async def add(self, day: date, counts: Mapping[Latency, int]) -> None:
        """Add to the counts of a day; several processes may do so.

        Do not retry: it is unknown whether a failed call counted.
        """
        ...

    async def read_totals(self, last: date) -> Mapping[Latency, int]:
        """Return the sum of the counts of a day and of the seven days before."""
        ...


class Phase(StrEnum):
    """Where the service is in its life."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


@frozen
class StoreHealth:
    """Whether each store answers."""

    postgresql: bool
    redis: bool


@frozen
class StoreLoad:
    """How busy the connections to the stores are.

    Attributes:
        slots_used: operations that run now, by store.
        redis_breaker_open: whether Redis is not asked because it did not answer.
    """

    slots_used: Mapping[str, int]
    redis_breaker_open: bool


class Health(Protocol):
    """What the health routes need from the composition root."""

    def get_phase(self) -> Phase:
        """Where the service is in its life."""
        ...

    def enter_phase(self, phase: Phase) -> None:
        """Enter the next phase. Only the composition root calls this."""
        ...

    def get_stores(self) -> StoreHealth | None:
        """Return the result of the last check of the stores; None before the first."""
        ...

    def list_silent_actors(self) -> Sequence[str]:
        """Return the actors that have ended or do not get on with their work."""
        ...

    async def check_stores(self) -> None:
        """Check each store, within its own time limit. A failure is False, never an exception.

        Only the service's own tasks call this: a request may be cancelled at any time.
        """
        ...
