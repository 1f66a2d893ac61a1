"""The term counter: adds what changed in the archive's words to their counts, a batch at a time.

It has no inbox that could end, so the composition root cancels it when nobody asks any more. What it has not added up waits in the database
for the next process. Several processes may run it; one at a time does the work.
"""

from newsintel.domain.intelligence.ports import TermCounts
from newsintel.domain.ports import Count
from newsintel.runtime.backlog import Pace, work_off

EVERY_S = 5.0
"""Between batches when all is added up, each pause shortened by up to half at random: a word of this minute's news is soon known."""
BUSY_S = 0.1
"""Between batches while there is more: half of the time or more is left to others. A backlog of an hour's failure is gone in minutes."""


async def run(*, terms: TermCounts, count: Count) -> None:
    """Add up until cancelled.

    Args:
        terms: what is kept up to date.
        count: counts `term_changes` and `term_failures`.
    """
    await work_off(terms.add_up, Pace(EVERY_S, BUSY_S), count, done="term_changes", failed="term_failures")
