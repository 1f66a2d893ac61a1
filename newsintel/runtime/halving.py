"""Finds the rows at fault in a batch whose data PostgreSQL refuses."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from newsintel.errors import PoisonedBatchError

T = TypeVar("T")


async def save_halving(
    rows: Sequence[T],
    save: Callable[[Sequence[T]], Awaitable[None]],
    refuse: Callable[[T, str], Awaitable[None]],
) -> None:
    """Save rows; halve a refused batch until each row at fault is found.

    Args:
        rows: the rows to save.
        save: saves some rows, all or none. Raises PoisonedBatchError if they are refused.
        refuse: called with each row that cannot be saved, and the reason.
    """
    try:
        await save(rows)
    except PoisonedBatchError as error:
        if len(rows) == 1:
            await refuse(rows[0], str(error))
            return
        middle = len(rows) // 2
        await save_halving(rows[:middle], save, refuse)
        await save_halving(rows[middle:], save, refuse)
