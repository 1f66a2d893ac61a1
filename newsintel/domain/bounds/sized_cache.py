"""A cache that is limited in bytes and drops the least recently used value first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial, update_wrapper
from sys import getsizeof
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_BYTES = 200
"""The size of an entry without its key and value: its place in the dictionary and in the order of
use."""


class SizedCache(Generic[K, V]):
    """Values by key. The least recently used value is dropped first.

    Args:
        max_bytes: the maximum size of all values together.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """The size of all values and their entries."""
        return self._bytes

    def get(self, key: K) -> V | None:
        """Return the value of a key, or None, and mark it as the most recently used."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, size_bytes: int) -> list[tuple[K, V]]:
        """Store a value and replace an older one.

        Args:
            key: its key.
            value: the value.
            size_bytes: its size, including its key.

        Returns:
            The dropped entries; the value itself if it exceeds the size of the cache.
        """
        self.pop(key)
        size_bytes += ENTRY_BYTES
        if size_bytes > self._max_bytes:
            return [(key, value)]
        self._entries[key] = (value, size_bytes)
        self._bytes += size_bytes
        gone = []
        while self._bytes > self._max_bytes:
            oldest, (dropped, freed) = self._entries.popitem(last=False)
            self._bytes -= freed
            gone.append((oldest, dropped))
        return gone

    def pop(self, key: K) -> V | None:
        """Remove and return the value of a key, if any."""
        found = self._entries.pop(key, None)
        if found is None:
            return None
        self._bytes -= found[1]
        return found[0]

    def clear(self) -> None:
        """Remove everything."""
        self._entries.clear()
        self._bytes = 0


class Memo(Generic[V]):
    """A function of a text that caches its results, with a limit in bytes.

    `functools.lru_cache` limits their number instead, regardless of their size.
    """

    def __init__(self, function: Callable[[str], V], max_bytes: int) -> None:
        update_wrapper(self, function)
        self._function = function
        self._cache: SizedCache[str, tuple[V]] = SizedCache(max_bytes)

    def __call__(self, text: str) -> V:
        """Return the function's result for a text."""
        found = self._cache.get(text)
        if found is None:
            found = (self._function(text),)
            self._cache.put(text, found, getsizeof(text) + getsizeof(found) + getsizeof(found[0]))
        return found[0]

    def clear(self) -> None:
        """Clear the cache."""
        self._cache.clear()


def memoize(max_bytes: int) -> Callable[[Callable[[str], V]], Memo[V]]:
    """Return a decorator that makes a Memo of a function."""
    return partial(Memo, max_bytes=max_bytes)
