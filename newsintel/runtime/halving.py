"""Finds the rows at fault in a batch that PostgreSQL refuses, or cannot save in time."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from newsintel.errors import ArchiveTimeoutError, PoisonedBatchError
from newsintel.runtime.heartbeats import beat

T = TypeVar("T")

ALONE_TOO_SLOW = "PostgreSQL's time limit is too short to save it, even alone"


def never(_row: object) -> bool:
    """Wait for better times with every row that is too slow alone."""
    return False


async def save_halving(
    rows: Sequence[T],
    save: Callable[[Sequence[T]], Awaitable[None]],
    refuse: Callable[[T, str], Awaitable[None]],
    is_hopeless: Callable[[T], bool] = never,
) -> None:
    """Save rows; halve a batch that is refused or too slow until each row at fault is found.

    Rows are saved or refused in their order: what is done is always the beginning of `rows`. If
    PostgreSQL as a whole is too slow, the first row stops it: after at most eight time limits for
    200 rows.

    Args:
        rows: the rows to save.
        save: saves some rows, all or none. Raises PoisonedBatchError if they are refused, and
            ArchiveTimeoutError if PostgreSQL did not finish in time.
        refuse: called with each row that cannot be saved, and the reason.
        is_hopeless: whether to refuse a row that is too slow alone.

    Raises:
        ArchiveTimeoutError: a row is too slow alone, and not hopeless.
    """
    if not rows:
        return
    beat()  # hundreds of steps, each with a time limit, may take minutes
    try:
        await save(rows)
    except (PoisonedBatchError, ArchiveTimeoutError) as error:
        if len(rows) == 1:
            slow = isinstance(error, ArchiveTimeoutError)
            if slow and not is_hopeless(rows[0]):
                raise
            await refuse(rows[0], ALONE_TOO_SLOW if slow else str(error))
            return
        middle = len(rows) // 2
        await save_halving(rows[:middle], save, refuse, is_hopeless)
        await save_halving(rows[middle:], save, refuse, is_hopeless)
