"""Logs articles that are lost: the first at once, further ones in sums."""

from math import inf

import trio

from newsintel.domain.ports import Count
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

LOG_INTERVAL_S = 60.0
"""Minimum time between two lines: an outage of an hour costs 60 lines, not one for each search."""


class LossLog:
    """Counts and logs lost articles. Every lost article is in the number of one line."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._logged_at = -inf
        self._unlogged = 0
        self._reason = ""

    def note_loss(self, articles: int, reason: str) -> None:
        """Count lost articles, and log them at once or with later ones."""
        self._count("lost_articles", articles)
        self._unlogged += articles
        self._reason = reason
        self.note_success()

    def note_success(self) -> None:
        """Log earlier losses if it is time: call it after each article that was not lost."""
        if self._unlogged and trio.current_time() - self._logged_at >= LOG_INTERVAL_S:
            self.flush()

    def flush(self) -> None:
        """Log all losses that are not logged yet: call it at the end."""
        if self._unlogged:
            log.error("articles_lost", articles=self._unlogged, reason=self._reason)
            self._unlogged, self._logged_at = 0, trio.current_time()
