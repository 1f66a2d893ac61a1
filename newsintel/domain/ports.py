"""Protocols of the outside world that several contexts use; adapters implement them.

Every async method runs on trio. Methods of stores, here and in the `ports` of each context, raise
`UnavailableError` (`BusyError` if no slot was free) and no other expected error unless stated.
Callers decide how to continue without a store.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen


class WallClock(Protocol):
    """Returns the time as aware UTC. Deadlines use trio's clock instead."""

    def __call__(self) -> datetime:
        """Return the current time."""
        ...


class Count(Protocol):
    """Adds to one of the counters in `operations.metrics.COUNTERS`."""

    def __call__(self, name: str, amount: float = 1, **labels: str) -> None:
        """E.g. `count("cache_errors", operation="claim")`."""
        ...


class Observe(Protocol):
    """Adds a value to one of the histograms in `operations.metrics.HISTOGRAMS`."""

    def __call__(self, name: str, value: float, **labels: str) -> None:
        """E.g. `observe("fetch_seconds", 0.31, source="guardian", status="ok")`."""
        ...


class SharedCounter(Protocol):
    """Counters in Redis, for the rate limits of persons."""

    async def add(self, key: str, amount: int, ttl_s: int) -> int:
        """Add to a counter and return its new value. Raises UnavailableError.

        The counter expires `ttl_s` seconds after the last addition.
        """
        ...


@frozen
class CachedBytes:
    """Bytes from a cache, with their age and their total lifetime in seconds."""

    data: bytes
    age_s: float
    ttl_s: int


class ByteCache(Protocol):
    """Finished answers in Redis, for routes. Raises UnavailableError, which counts as a miss."""

    async def get(self, key: str) -> CachedBytes | None:
        """Return the bytes of a key; None if there are none or they cannot be read."""
        ...

    async def put(self, key: str, data: bytes, ttl_s: int) -> None:
        """Store bytes for `ttl_s` whole seconds."""
        ...

    async def delete_keys(self, keys: Sequence[str]) -> None:
        """Delete these keys."""
        ...


class Repeats(Protocol):
    """Detects keys that any process has seen a short time ago."""

    async def remember_new(self, keys: Sequence[tuple[str, float]]) -> Sequence[bool]:
        """Return whether each key is new, in order. A new key is remembered for its seconds."""
        ...
