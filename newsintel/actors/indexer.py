"""The indexer: indexes the words of articles that an older version of newsintel wrote.

`newsintel migrate` indexes all earlier articles; older processes may write more after it.
The indexer has no inbox that could end, so the composition root cancels it when requests have
ended. Articles that are not indexed yet wait in the database. Several processes may run an
indexer; each takes different articles.
"""

from newsintel.domain.archive.ports import TextIndex
from newsintel.domain.ports import Count
from newsintel.runtime.backlog import Pace, process_backlog

EVERY_S = 60.0
"""Pause after an empty batch, shortened by up to half at random."""
BUSY_S = 0.2
"""Pause between batches while there is more to do. It leaves most of the time to other work."""


async def run(*, index: TextIndex, count: Count) -> None:
    """Index until cancelled.

    Args:
        index: the text index to keep up to date.
        count: counts `indexed_articles` and `index_failures`.
    """
    await process_backlog(
        index.index_batch,
        Pace(EVERY_S, BUSY_S),
        count,
        done="indexed_articles",
        failed="index_failures",
    )
