"""The save counter: every minute or so learns how many people saved what, so that no search ever has to ask.

It has no inbox that could end, so the composition root cancels it when nobody asks any more. While PostgreSQL is away the last counts stay.
"""

from newsintel.domain.intelligence.ports import SaveCounts
from newsintel.domain.ports import Count
from newsintel.domain.search.popularity import Saves
from newsintel.errors import UnavailableError
from newsintel.runtime.periodic import repeat

EVERY_S = 60.0
"""Between looks, each pause shortened by up to half at random: a story becomes popular over hours, and harvests are kept for minutes."""

MOST_ARTICLES = 10_000
"""Articles whose counts are held, those with most saves: some 2 MiB."""


async def run(*, counts: SaveCounts, saves: Saves, floor: int, count: Count) -> None:
    """Look until cancelled.

    Args:
        counts: where they are.
        saves: what is kept up to date.
        floor: people who must have saved an article for any of them to count.
        count: told of `save_count_failures`.
    """

    async def look() -> None:
        try:
            saves.replace(await counts.most_saved(floor, MOST_ARTICLES))
        except UnavailableError:
            count("save_count_failures")

    await repeat(look, every_s=EVERY_S, first_s=0.0)
