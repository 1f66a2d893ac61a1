"""The trend writer: rebuilds the lists of trending searches every 15 s and closes past days.

It has no inbox that could end, so the composition root cancels it when requests have ended. Each
step is one or more transactions that can be cancelled and repeated. Several processes may run it at
the same time: the first one to start on a list builds it.
"""

from functools import partial

import trio

from newsintel.domain.intelligence.ports import SearchMarks, Trending
from newsintel.domain.intelligence.search_counts import TrendWindow
from newsintel.domain.intelligence.trending import rank_trends
from newsintel.domain.ports import Count, WallClock
from newsintel.errors import PoisonedBatchError, UnavailableError
from newsintel.runtime.periodic import repeat
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

FIRST_S = 5.0
"""Longest pause before the first round, shortened by up to half at random.

A one-off search ends before it.
"""
EVERY_S = 15.0
"""Pause between rounds, shortened by up to half at random.

A list is no older than that, unless counting takes long (see PAUSE_FACTOR).
"""
PAUSE_FACTOR = 20
"""The next pause is PAUSE_FACTOR times the duration of a round if that is longer than EVERY_S.

So the rounds take a small share of the time, however much there is to count.
"""
LIST_LENGTH = 100
"""Entries stored per list: several times as many as are shown."""


async def run(
    *, marks: SearchMarks, trending: Trending, floor: int, count: Count, now: WallClock
) -> None:
    """Rebuild the lists until cancelled.

    Args:
        marks: the searches to count.
        trending: the lists.
        floor: distinct people per day that a query needs; a query with fewer people is deleted when
            its day is closed.
        count: counts `trend_refreshes`, `closed_marks` and `trend_failures`.
        now: the time of day.
    """
    closed_on = None

    async def make_lists() -> float:
        nonlocal closed_on
        began_s, today = trio.current_time(), now().date()
        try:
            if closed_on != today:
                count("closed_marks", await marks.close_days(today, floor))
                closed_on = today
            for span in TrendWindow:
                if await trending.rebuild_list(
                    span, now(), floor, partial(rank_trends, limit=LIST_LENGTH)
                ):
                    count("trend_refreshes", window=span.value)
        except (UnavailableError, PoisonedBatchError) as error:  # the latter if our clock is wrong
            log.debug("trends_failed", reason=str(error))
            count("trend_failures")
        return PAUSE_FACTOR * (trio.current_time() - began_s)

    await repeat(make_lists, every_s=EVERY_S, first_s=FIRST_S)
