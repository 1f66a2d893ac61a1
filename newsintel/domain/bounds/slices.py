"""Long work in slices: pure code yields where it may pause, and its runner lets other tasks run.

A slice is the code between two `yield`s. It must not take longer than 5 ms on the machine of
docs/performance.md, for any input. So inputs are cut and counted before they are processed.
"""

from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Sliced: TypeAlias = Generator[None, None, T]
"""Work that pauses at each `yield`, and returns a T."""


def run_all(work: Sliced[T]) -> T:
    """Run all slices without a pause, for callers that block no other task."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result
