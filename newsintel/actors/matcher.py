"""The matcher: finds the saved searches that each new article matches, and fills the outbox.

It has no inbox that could end, so the composition root cancels it when requests have ended.
Articles that are not matched yet wait in the database for the next process. Several processes may
run it; only one at a time does the work.
"""

from newsintel.domain.alerts.ports import AlertMatching
from newsintel.domain.ports import Count
from newsintel.runtime.backlog import Pace, process_backlog

EVERY_S = 2.0
"""Pause after an empty batch, shortened by up to half at random."""
BUSY_S = 0.05
"""Pause between batches while there is more to do."""


async def run(*, matching: AlertMatching, count: Count) -> None:
    """Match articles until cancelled.

    Args:
        matching: the saved searches and the articles that wait.
        count: counts `matched_articles` and `matching_failures`.
    """
    await process_backlog(
        matching.match_batch,
        Pace(EVERY_S, BUSY_S),
        count,
        done="matched_articles",
        failed="matching_failures",
    )
