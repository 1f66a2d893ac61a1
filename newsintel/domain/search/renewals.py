"""Limits how many answers are renewed at once while the old ones are served.

The limit leaves room for callers who wait for an answer. Pure: harvests and times in, yes or no
out.
"""

from datetime import datetime

from newsintel.domain.search.freshness import Windows
from newsintel.domain.search.harvest import Harvest

MAX_RENEWALS = 5
"""Maximum at once: half of the calls that may run to one source (`fetcher.SLOTS`). So callers who
wait for an answer do not queue behind renewals, for which no caller waits."""
EARLY_RENEWALS = 2
"""Maximum of these for answers in the first half of their revalidate window. The most popular
answers go stale most often. Without slots left for the others, those would reach the end of their
window, and then a caller has to wait. Both numbers: docs/decisions/0019."""


class Renewals:
    """The running renewals, by harvest key."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._running: set[str] = set()

    def begin(self, harvest: Harvest, now: datetime) -> bool:
        """Take a slot to renew a stale harvest; False if none is free."""
        stale_s = (now - self._windows.fresh_until(harvest)).total_seconds()
        if len(self._running) >= (
            MAX_RENEWALS if stale_s > self._windows.revalidate_s / 2 else EARLY_RENEWALS
        ):
            return False
        self._running.add(harvest.query.key)
        return True

    def end(self, key: str) -> None:
        """Release the slot of a key, if it has one."""
        self._running.discard(key)
