"""The term counter: adds changes in the archive's words to the word counts, one batch at a time.

It has no inbox that could end, so the composition root cancels it when requests have ended.
Changes that are not added yet wait in the database for the next process. Several processes may run
it; only one at a time does the work.
"""

from newsintel.domain.intelligence.ports import TermCounts
from newsintel.domain.ports import Count
from newsintel.runtime.backlog import Pace, process_backlog

EVERY_S = 5.0
"""Pause after an empty batch, shortened by up to half at random.

A new word in the news is counted within seconds.
"""
BUSY_S = 0.1
"""Pause between batches while there is more. It leaves at least half of the time to other work.

After an hour of failures, the backlog is worked off in minutes.
"""


async def run(*, terms: TermCounts, count: Count) -> None:
    """Add changes until cancelled.

    Args:
        terms: the word counts to keep up to date.
        count: counts `term_changes` and `term_failures`.
    """
    await process_backlog(
        terms.apply_changes,
        Pace(EVERY_S, BUSY_S),
        count,
        done="term_changes",
        failed="term_failures",
    )
