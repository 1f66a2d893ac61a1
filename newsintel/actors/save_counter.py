"""The save counter: about once a minute it reads how many people saved each article.

So no search has to query for it. The counter has no inbox that could end, so the composition root
cancels it when requests have ended. While PostgreSQL is unavailable, the last counts stay in use.
"""

from newsintel.domain.intelligence.ports import SaveCounts
from newsintel.domain.ports import Count
from newsintel.domain.search.popularity import SaveCounter
from newsintel.errors import UnavailableError
from newsintel.runtime.periodic import repeat

EVERY_S = 60.0
"""Pause between reads, shortened by up to half at random.

A story becomes popular over hours, and harvests are kept for minutes.
"""

MOST_ARTICLES = 10_000
"""Articles whose counts are kept in memory (the most saved ones): about 2 MiB."""


async def run(*, counts: SaveCounts, saves: SaveCounter, floor: int, count: Count) -> None:
    """Read the counts repeatedly until cancelled.

    Args:
        counts: the stored counts.
        saves: the counts in memory to keep up to date.
        floor: articles that fewer people have saved are left out.
        count: counts `save_count_failures`.
    """

    async def look() -> None:
        try:
            saves.replace(await counts.count_saves(floor, MOST_ARTICLES))
        except UnavailableError:
            count("save_count_failures")

    await repeat(look, every_s=EVERY_S, first_s=0.0)
