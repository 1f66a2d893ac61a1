"""The grouper: finds the story of each archived article, so that stories span searches and days.

It has no inbox that could end, so the composition root cancels it when requests have ended.
Articles that have no story yet wait in the database for the next process. Several processes may run
it; only one at a time does the work.
"""

from newsintel.domain.archive.ports import StoryGroups
from newsintel.domain.ports import Count
from newsintel.runtime.backlog import Pace, process_backlog

EVERY_S = 5.0
"""Pause after an empty batch, shortened by up to half at random."""
BUSY_S = 0.1
"""Pause between batches while there is more to do. It leaves half of the time to other work."""


async def run(*, stories: StoryGroups, count: Count) -> None:
    """Place articles until cancelled.

    Args:
        stories: the stories of the archive.
        count: counts `grouped_articles` and `grouping_failures`.
    """
    await process_backlog(
        stories.place_batch,
        Pace(EVERY_S, BUSY_S),
        count,
        done="grouped_articles",
        failed="grouping_failures",
    )
