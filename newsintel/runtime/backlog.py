"""Works off a backlog in a database in batches, with short pauses while there is more to do."""

from collections.abc import Awaitable, Callable

import trio
from attrs import frozen

from newsintel.domain.ports import Count
from newsintel.errors import PoisonedBatchError, UnavailableError
from newsintel.runtime.heartbeats import at_work
from newsintel.runtime.periodic import sleep_with_jitter


@frozen
class Pace:
    """Pauses between batches.

    Attributes:
        every_s: after an empty or failed batch; shortened by up to half at random.
        busy_s: after any other batch.
    """

    every_s: float
    busy_s: float


async def process_backlog(
    take: Callable[[], Awaitable[int]], pace: Pace, count: Count, *, done: str, failed: str
) -> None:
    """Take batches until cancelled.

    Args:
        take: works off one batch and returns its size; 0 = nothing is left.
        pace: the pauses.
        count: adds to the two counters.
        done: the counter of what `take` returns.
        failed: the counter of failed batches; they are retried after `pace.every_s`.
    """
    taken = 0
    while True:
        if taken:
            await trio.sleep(pace.busy_s)
        else:
            await sleep_with_jitter(pace.every_s)
        try:
            with at_work():
                taken = await take()
            count(done, taken)
        except (UnavailableError, PoisonedBatchError):
            taken = 0
            count(failed)
