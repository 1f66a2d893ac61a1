"""How long a harvest may answer: the contract's windows as arithmetic on its times.

From its landing a harvest passes through RFC 5861's three windows: fresh; then served at once while a flight renews it; then served only
where renewing failed. A partial harvest is fresh for a shorter time, after which only its failed sources are asked again.
"""

from datetime import datetime, timedelta
from enum import Enum, auto

from attrs import frozen

from newsintel.model import FetchOutcome, Harvest
from newsintel.settings import Settings


class Freshness(Enum):
    """What a harvest is good for at one moment."""

    FRESH = auto()
    REVALIDATE = auto()
    """Answer with it at once, and renew it."""
    STALE = auto()
    """Answer with it only if renewing fails."""
    GONE = auto()


@frozen
class Windows:
    """The lengths of the windows, from the settings of the same names."""

    ttl_s: float
    revalidate_s: float
    stale_s: float
    partial_s: float

    @classmethod
    def of(cls, settings: Settings) -> "Windows":
        """The windows that the environment asked for."""
        return cls(settings.cache_ttl_s, settings.cache_revalidate_s, settings.cache_stale_s, settings.cache_partial_s)

    def fresh_until(self, harvest: Harvest) -> datetime:
        """The end of the fresh window.

        A partial harvest's ends when the first of its failed sources may be asked again, but never after the TTL of its good outcomes.
        """
        end = harvest.fresh_since + timedelta(seconds=self.ttl_s)
        return min([end, *(self.due_at(outcome) for outcome in harvest.outcomes if outcome.status.failed)])

    def judge(self, harvest: Harvest, now: datetime) -> Freshness:
        """What a harvest is good for now."""
        fresh_until = self.fresh_until(harvest)
        if now < fresh_until:
            return Freshness.FRESH
        if now < fresh_until + timedelta(seconds=self.revalidate_s):
            return Freshness.REVALIDATE
        if now < harvest.fresh_since + timedelta(seconds=self.ttl_s + self.stale_s):
            return Freshness.STALE
        return Freshness.GONE

    def kept(self, harvest: Harvest, now: datetime) -> tuple[FetchOutcome, ...]:
        """The outcomes of a partial harvest that a repair keeps: all but the failures that are due. () = ask every source."""
        if harvest.complete or now >= harvest.fresh_since + timedelta(seconds=self.ttl_s):
            return ()
        return tuple(o for o in harvest.outcomes if not o.status.failed or now < self.due_at(o))

    def outranks(self, old: Harvest, new: Harvest, now: datetime) -> bool:
        """True if the older harvest is to be kept: it is complete and still served at once, and the newer one is partial."""
        return old.complete and not new.complete and self.judge(old, now) in (Freshness.FRESH, Freshness.REVALIDATE)

    def due_at(self, failure: FetchOutcome) -> datetime:
        """When a source that failed may be asked again."""
        earliest = failure.fetched_at + timedelta(seconds=self.partial_s)
        return max(earliest, failure.retry_at) if failure.retry_at else earliest
