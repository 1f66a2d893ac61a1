"""What was used last, bounded by the bytes that it takes. Of everything that this process remembers."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial, update_wrapper
from sys import getsizeof
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_BYTES = 200
"""What one entry takes beside its key and value: its place in the dictionary and in the order of use."""


class SizedCache(Generic[K, V]):
    """Values by key, least recently used first out.

    Args:
        max_bytes: that all of them may take together.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size_bytes(self) -> int:
        """What the values and their entries take."""
        return self._bytes

    def get(self, key: K) -> V | None:
        """The value kept under a key, now the most recently used."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, size_bytes: int) -> list[tuple[K, V]]:
        """Keep a value, in place of an older one.

        Args:
            key: its name.
            value: what to keep.
            size_bytes: what it takes, its key included.

        Returns:
            What had to go for it; the value itself if all together may not take as much.
        """
        self.pop(key)
        size_bytes += ENTRY_BYTES
        if size_bytes > self._max_bytes:
            return [(key, value)]
        self._kept[key] = (value, size_bytes)
        self._bytes += size_bytes
        gone = []
        while self._bytes > self._max_bytes:
            oldest, (dropped, freed) = self._kept.popitem(last=False)
            self._bytes -= freed
            gone.append((oldest, dropped))
        return gone

    def pop(self, key: K) -> V | None:
        """Give up what is kept under a key."""
        found = self._kept.pop(key, None)
        if found is None:
            return None
        self._bytes -= found[1]
        return found[0]

    def clear(self) -> None:
        """Give up everything."""
        self._kept.clear()
        self._bytes = 0


class Memo(Generic[V]):
    """A function of a text that remembers its results, within some bytes; `functools.lru_cache` counts them instead, however long."""

    def __init__(self, function: Callable[[str], V], max_bytes: int) -> None:
        update_wrapper(self, function)
        self._function = function
        self._kept: SizedCache[str, tuple[V]] = SizedCache(max_bytes)

    def __call__(self, text: str) -> V:
        """The function's result for a text."""
        found = self._kept.get(text)
        if found is None:
            found = (self._function(text),)
            self._kept.put(text, found, getsizeof(text) + getsizeof(found) + getsizeof(found[0]))
        return found[0]

    def forget(self) -> None:
        """Remember nothing."""
        self._kept.clear()


def remembered(max_bytes: int) -> Callable[[Callable[[str], V]], Memo[V]]:
    """Makes a Memo of a function."""
    return partial(Memo, max_bytes=max_bytes)
