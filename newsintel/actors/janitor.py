"""The janitor: deletes expired searches, articles, matches and deliveries about once an hour.

It also makes deliveries due that a wrong clock has put off.

It has no inbox that could end, so the composition root cancels it when requests have ended.
Cancelling a sweep is safe: the next sweep deletes the rest. Several processes may sweep at the
same time.
"""

from collections.abc import Mapping
from datetime import timedelta

from newsintel.domain.alerts.delivery_ports import Deliveries
from newsintel.domain.alerts.model import MATCHES_KEPT
from newsintel.domain.alerts.ports import AlertMatching
from newsintel.domain.archive.ports import ArticlePruning
from newsintel.domain.personal.ports import History
from newsintel.domain.ports import Count, WallClock
from newsintel.errors import UnavailableError
from newsintel.runtime.periodic import repeat
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

FIRST_S = 60.0
"""Pause before the first sweep, shortened by up to half at random.

So processes that start together do not sweep together, and a one-off search ends before it.
"""
EVERY_S = 3600.0
"""Pause between sweeps, shortened by up to half at random.

Searches and articles are kept for days, so an hour more or less does not matter.
"""

LOG_KEPT = timedelta(days=30)
"""How long a finished delivery stays in the log: ten times as long as it may take."""


async def run(
    *,
    history: History,
    keep: timedelta,
    articles: ArticlePruning,
    keep_articles: Mapping[str, timedelta],
    matching: AlertMatching,
    deliveries: Deliveries,
    count: Count,
    now: WallClock,
) -> None:
    """Sweep until cancelled.

    Args:
        history: the search history.
        keep: the maximum age of a search.
        articles: the archive.
        keep_articles: how long after their last fetch the articles of a source are kept; without
            the sources whose articles are kept for ever.
        matching: the matches of saved searches.
        deliveries: the delivery log of alerts.
        count: counts `pruned_searches`, `pruned_articles` and `prune_failures`.
        now: the time of day.
    """

    async def sweep() -> None:
        try:
            if late := await deliveries.correct_times(now()):
                log.warning("deliveries_put_off", deliveries=late)
            count("pruned_searches", await history.prune_searches(now() - keep))
            for source, age in keep_articles.items():
                pruned = await articles.prune_source(source, now() - age)
                count("pruned_articles", pruned, source=source)
            await matching.prune_matches(now() - MATCHES_KEPT)
            await deliveries.prune_log(now() - LOG_KEPT)
        except UnavailableError as error:
            log.debug("prune_failed", reason=str(error))
            count("prune_failures")

    await repeat(sweep, every_s=EVERY_S, first_s=FIRST_S)
