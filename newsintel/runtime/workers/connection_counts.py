"""How many connections each worker has, in memory that all workers share.

Each worker writes only its own number, and a number is read or written as a whole, so no lock is
needed. What a worker reads of the others may be some microseconds old.
"""

import mmap
import os
import tempfile

from newsintel.config.workers import MOST_WORKERS

ABSENT = -1
"""The number of a worker that accepts no connections: it starts, drains, or has ended."""

NO_OTHERS = 2**31 - 1
"""What is due to a worker while no other one accepts connections."""

SIZE_BYTES = 4 * MOST_WORKERS


def create_counts() -> int:
    """Create the memory and return its file descriptor. All workers are absent."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("newsintel-connections")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.write(descriptor, ABSENT.to_bytes(4, "little", signed=True) * MOST_WORKERS)
    return descriptor


class ConnectionCounts:
    """The numbers of all workers, as one of them uses them.

    Args:
        descriptor: of the memory. The caller closes it; the memory stays.
        worker: the number of this worker, from 1 up.
    """

    def __init__(self, descriptor: int, worker: int) -> None:
        self._counts = memoryview(mmap.mmap(descriptor, SIZE_BYTES)).cast("i")
        self._own = worker - 1

    def report(self, count: int) -> None:
        """Set how many connections this worker has."""
        self._counts[self._own] = count

    def leave(self) -> None:
        """Set that this worker accepts no connections."""
        self._counts[self._own] = ABSENT

    def count_others(self) -> int:
        """Return how many connections the other workers have."""
        return sum(count for count in self._list_others() if count > 0)

    def count_due(self) -> int:
        """Return how many connections this worker should take before another one takes some.

        0 = another one has clearly fewer: this one has a quarter more, since the numbers need not
        be equal.
        """
        least = min((count for count in self._list_others() if count != ABSENT), default=None)
        if least is None:
            return NO_OTHERS
        return max(0, least + least // 4 + 1 - self._counts[self._own])

    def _list_others(self) -> list[int]:
        return [count for place, count in enumerate(self._counts) if place != self._own]
