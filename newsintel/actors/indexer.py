"""The indexer: reads the words of articles that an older version of newsintel wrote while this one was already there.

`newsintel migrate` has read all others. It has no inbox that could end, so the composition root cancels it when nobody asks any more. What
it has not read waits in the database. Several processes may run it; each takes other articles.
"""

from newsintel.domain.archive.ports import TextIndex
from newsintel.domain.ports import Count
from newsintel.runtime.backlog import Pace, work_off

EVERY_S = 60.0
"""Between looks when there was nothing, each pause shortened by up to half at random."""
BUSY_S = 0.2
"""Between batches while there is more: most of the time is left to others."""


async def run(*, index: TextIndex, count: Count) -> None:
    """Read until cancelled.

    Args:
        index: what is kept up to date.
        count: counts `indexed_articles` and `index_failures`.
    """
    await work_off(index.read_some, Pace(EVERY_S, BUSY_S), count, done="indexed_articles", failed="index_failures")
