"""A dictionary with a maximum number of keys. It drops the oldest first."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Newest(OrderedDict[K, V]):
    """A dictionary that keeps the latest assignments. Assigning to a key makes it the newest.

    Args:
        most: the maximum number of keys. For values of unknown size use `SizedCache`.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)
