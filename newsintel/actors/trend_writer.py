"""The trend writer: makes the lists of trending searches anew every quarter of a minute, and closes days that are over.

It has no inbox that could end, so the composition root cancels it when nobody asks any more. Each step is one transaction or several that
may be cut short and repeated, and several processes may be at it at once: a list is made by whoever comes first.
"""

from functools import partial

import trio

from newsintel.domain.intelligence.ports import SearchMarks, Trending
from newsintel.domain.intelligence.search_counts import Span
from newsintel.domain.intelligence.trending import ranked
from newsintel.domain.ports import Count, WallClock
from newsintel.errors import PoisonedBatchError, UnavailableError
from newsintel.runtime.periodic import repeat
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

FIRST_S = 5.0
"""The first round comes within this time: a single search is over before."""
EVERY_S = 15.0
"""Between rounds, each pause shortened by up to half at random: a list is no older, but where counting takes long."""
SHARE = 20
"""A pause is this many times as long as the round before it, if that is longer: however much is to be counted, it is a small part."""
KEPT = 100
"""Of each list: several times what is shown."""


async def run(*, marks: SearchMarks, trending: Trending, floor: int, count: Count, now: WallClock) -> None:
    """Count until cancelled.

    Args:
        marks: what is counted.
        trending: the lists.
        floor: distinct people of one day that a query must have; what has fewer goes when its day is closed.
        count: told of `trend_refreshes`, `closed_marks` and `trend_failures`.
        now: the time of day.
    """
    closed_on = None

    async def make_lists() -> float:
        nonlocal closed_on
        began_s, today = trio.current_time(), now().date()
        try:
            if closed_on != today:
                count("closed_marks", await marks.close(today, floor))
                closed_on = today
            for span in Span:
                if await trending.refresh(span, now(), floor, partial(ranked, limit=KEPT)):
                    count("trend_refreshes", window=span.value)
        except (UnavailableError, PoisonedBatchError) as error:  # the latter of a clock that is set wrong
            log.debug("trends_failed", reason=str(error))
            count("trend_failures")
        return SHARE * (trio.current_time() - began_s)

    await repeat(make_lists, every_s=EVERY_S, first_s=FIRST_S)
