"""What operators' numbers and probes need of the outside world, as Protocols."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Protocol

from attrs import frozen

from newsintel.domain.operations.latencies import Latency


class LatencyStore(Protocol):
    """Redis, as the latency writer and the `deadlines` command see it. Nothing in it is older than eight days."""

    async def add(self, day: date, counts: Mapping[Latency, int]) -> None:
        """Add to the counts of a day; several processes may. Not to be tried again: whether a failed call counted is not known."""
        ...

    async def read(self, last: date) -> Mapping[Latency, int]:
        """The counts of a day and of the seven before it, added up."""
        ...


class Phase(StrEnum):
    """Where the service is in its life."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


@frozen
class Stores:
    """Whether each store answers."""

    postgresql: bool
    redis: bool


@frozen
class StoreLoad:
    """How busy the ways to the stores are.

    Attributes:
        slots_used: operations that run now, by store.
        redis_breaker_open: whether Redis is left alone because it has not been answering.
    """

    slots_used: Mapping[str, int]
    redis_breaker_open: bool


class Health(Protocol):
    """What the health routes ask of the composition root."""

    def phase(self) -> Phase:
        """Where the service is in its life."""
        ...

    def enter(self, phase: Phase) -> None:
        """Go on to the next phase; the composition root alone calls this."""
        ...

    async def stores(self) -> Stores:
        """Ask each store for a sign of life, within the store's own time limit; a store that fails is False, never an exception."""
        ...
