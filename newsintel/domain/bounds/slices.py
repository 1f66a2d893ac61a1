"""Long work in slices: pure code says where it may pause, and whoever runs it lets others run there.

A slice is what lies between two `yield`s. None may take longer than 5 ms on the machine of docs/performance.md, whatever it is given:
inputs are cut and counted before they are worked on.
"""

from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Sliced: TypeAlias = Generator[None, None, T]
"""Work that pauses at each `yield`, and returns a T."""


def whole(work: Sliced[T]) -> T:
    """Do all of some work at one go: for who has nothing else to do meanwhile."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result
