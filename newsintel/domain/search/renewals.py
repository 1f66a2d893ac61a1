"""Which answers may be renewed while the old ones are given: as many as leave room for those who wait for an answer.

Pure: harvests and times in, a yes or no out.
"""

from datetime import datetime

from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Harvest

MAX_RENEWALS = 5
"""At once: half of the calls that one source may have in the air (`fetcher.SLOTS`), so that nobody who waits for an answer queues behind
those for whom nobody waits."""
EARLY_RENEWALS = 2
"""Of these, for answers in the first half of their revalidate window. What everybody asks for goes stale most often: without a rest for the
others, those would come to the end of their window, where somebody has to wait for them. Both numbers: docs/decisions/0019."""


class Renewals:
    """The renewals in the air, by harvest key."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._running: set[str] = set()

    def begin(self, harvest: Harvest, now: datetime) -> bool:
        """Take a place for renewing a stale harvest; False if there is none for it."""
        stale_s = (now - self._windows.fresh_until(harvest)).total_seconds()
        if len(self._running) >= (MAX_RENEWALS if stale_s > self._windows.revalidate_s / 2 else EARLY_RENEWALS):
            return False
        self._running.add(harvest.query.key)
        return True

    def end(self, key: str) -> None:
        """Give a place back; nothing happens where there was none."""
        self._running.discard(key)
