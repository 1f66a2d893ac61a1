"""The janitor: deletes searches that are older than the history keeps, about once an hour.

It has no inbox that could end, so the composition root cancels it when nobody asks any more. A sweep cut short loses nothing: what it had
deleted is gone, the rest goes with the next. Several processes may sweep at once.
"""

from datetime import timedelta

from newsintel.domain.personal.ports import History
from newsintel.domain.ports import Count, WallClock
from newsintel.errors import UnavailableError
from newsintel.runtime.periodic import repeat
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

FIRST_S = 60.0
"""The first sweep comes at random within this time: processes that start together spread out, and a single search is over before."""
EVERY_S = 3600.0
"""Between sweeps, each pause shortened by up to half at random. History is kept for days; an hour more or less is nothing."""


async def run(*, history: History, keep: timedelta, count: Count, now: WallClock) -> None:
    """Sweep until cancelled.

    Args:
        history: what is swept.
        keep: how old a search may become.
        count: told of `pruned_searches` and `prune_failures`.
        now: the time of day.
    """

    async def sweep() -> None:
        try:
            count("pruned_searches", await history.prune(now() - keep))
        except UnavailableError as error:
            log.debug("prune_failed", reason=str(error))
            count("prune_failures")

    await repeat(sweep, every_s=EVERY_S, first_s=FIRST_S)
