"""Cuts a sequence into chunks of limited size."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def cut_into_chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the values in chunks of `size`; the last one may be smaller."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
