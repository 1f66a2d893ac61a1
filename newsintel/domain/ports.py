"""What actors and routes need of the outside world, as Protocols: adapters fulfil them, tests fulfil them in memory.

Every method is trio-flavoured. A method of `HarvestCache`, `Archive` or `History` raises `UnavailableError` (`BusyError` when no slot was
free) and nothing else that is foreseen; callers decide what an absent store costs.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen


class WallClock(Protocol):
    """Tells the time of day as aware UTC; deadlines use trio's clock instead."""

    def __call__(self) -> datetime:
        """The time now."""
        ...


class Count(Protocol):
    """Adds to one of the counters that `telemetry.COUNTERS` declares."""

    def __call__(self, name: str, amount: float = 1, **labels: str) -> None:
        """E.g. `count("cache_errors", operation="claim")`."""
        ...


class Observe(Protocol):
    """Adds a value to one of the histograms that `telemetry.HISTOGRAMS` declares."""

    def __call__(self, name: str, value: float, **labels: str) -> None:
        """E.g. `observe("fetch_seconds", 0.31, source="guardian", status="ok")`."""
        ...


class SharedCounter(Protocol):
    """Redis, as the limits on persons see it."""

    async def add(self, key: str, amount: int, ttl_s: int) -> int:
        """Add to a counter that is forgotten `ttl_s` seconds after the last addition; its new value. Raises UnavailableError."""
        ...


@frozen
class Kept:
    """Bytes that a cache kept, for how many seconds so far, and for how many in all."""

    data: bytes
    age_s: float
    ttl_s: int


class ByteCache(Protocol):
    """Redis, as routes see it that keep finished answers for a while. Raises UnavailableError, which is as good as a miss."""

    async def get(self, key: str) -> Kept | None:
        """What is kept under a key; None if there is nothing or it cannot be read."""
        ...

    async def put(self, key: str, data: bytes, ttl_s: int) -> None:
        """Keep bytes for `ttl_s` whole seconds."""
        ...

    async def forget(self, keys: Sequence[str]) -> None:
        """Keep nothing under these keys any longer."""
        ...


class Repeats(Protocol):
    """What was seen a short while ago, by any process."""

    async def first(self, keys: Sequence[tuple[str, float]]) -> Sequence[bool]:
        """Whether each key is new, in order; a new one is remembered for its seconds from now on."""
        ...
