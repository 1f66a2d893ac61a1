"""Work that waits in a database and is taken in batches: soon while there is more, else now and then."""

from collections.abc import Awaitable, Callable

import trio
from attrs import frozen

from newsintel.domain.ports import Count
from newsintel.errors import PoisonedBatchError, UnavailableError
from newsintel.runtime.periodic import pause


@frozen
class Pace:
    """Pauses between batches.

    Attributes:
        every_s: when there was nothing, shortened by up to half at random.
        busy_s: while there is more.
    """

    every_s: float
    busy_s: float


async def work_off(take: Callable[[], Awaitable[int]], pace: Pace, count: Count, *, done: str, failed: str) -> None:
    """Take batches until cancelled.

    Args:
        take: works off one batch; how much that was, 0 = nothing is left.
        pace: of the batches.
        count: counts.
        done: the counter of what `take` returns.
        failed: the counter of batches that the database refused; they are tried again after `pace.every_s`.
    """
    taken = 0
    while True:
        if taken:
            await trio.sleep(pace.busy_s)
        else:
            await pause(pace.every_s)
        try:
            taken = await take()
            count(done, taken)
        except (UnavailableError, PoisonedBatchError):
            taken = 0
            count(failed)
