"""Decides how long a harvest may answer: the contract's windows as arithmetic on its times.

After its flight has landed, a harvest passes through the three windows of RFC 5861: fresh; then
served at once while a flight renews it; then served only if renewing failed. Each outcome in it is
due separately: a good one after the TTL, or later if the quota of its source runs low; a failure
when its source may be asked again. If no source that answered found anything, their outcomes are
due as soon as a failure would be. The harvest is fresh until the first outcome is due. Then only
the sources with due outcomes are asked.
"""

from datetime import datetime, timedelta
from enum import Enum, auto

from attrs import frozen

from newsintel.config.settings import Settings
from newsintel.domain.search.harvest import Harvest, Origin
from newsintel.domain.search.outcome import ANONYMOUS_CALLER, FetchCaller, FetchOutcome, Status

MAX_CLOCK_SKEW_S = 60.0
"""How far ahead the clock of another process may be. A later time means that our clock was set back
after the fetch, so the age is unknown."""


class Freshness(Enum):
    """How a harvest may be used at one moment."""

    FRESH = auto()
    REVALIDATE = auto()
    """Answer with it at once and renew it."""
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
    def from_settings(cls, settings: Settings) -> "Windows":
        """Return the windows from the settings."""
        return cls(
            settings.cache_ttl_s,
            settings.cache_revalidate_s,
            settings.cache_stale_s,
            settings.cache_partial_s,
        )

    def fresh_until(self, harvest: Harvest) -> datetime:
        """Return the end of the fresh window: when the first of its sources may be asked again.

        If no source answered, it is at the latest `fetched_at` plus the time that answers are kept.
        """
        keep_s = self._keep_s(harvest)
        due = [
            self.due_at(outcome, keep_s)
            for outcome in harvest.outcomes
            if outcome.status is not Status.DISABLED
        ]
        if not any(outcome.status.answered for outcome in harvest.outcomes):
            due.append(harvest.fetched_at + timedelta(seconds=keep_s))
        return min(due)

    def get_freshness(
        self, harvest: Harvest, now: datetime, asker: FetchCaller = ANONYMOUS_CALLER
    ) -> Freshness:
        """Return how a harvest may be used now.

        It is stale if one of its sources was held back from another asker and may be asked for this
        one.
        """
        if _is_clock_ahead(harvest.fresh_since, now):
            return Freshness.STALE
        fresh_until = self.fresh_until(harvest)
        within = Freshness.FRESH if now < fresh_until else Freshness.REVALIDATE
        if now < fresh_until + timedelta(seconds=self.revalidate_s):
            return within if all(map(asker.is_bound_by, harvest.outcomes)) else Freshness.STALE
        # Redis stores a harvest for this long after its landing. Later it is gone.
        if now < harvest.fresh_since + timedelta(seconds=self.ttl_s + self.stale_s):
            return Freshness.STALE
        return Freshness.GONE

    def outcomes_to_keep(
        self, harvest: Harvest, now: datetime, asker: FetchCaller = ANONYMOUS_CALLER
    ) -> tuple[FetchOutcome, ...]:
        """Return the outcomes that a refresh keeps: all that are not due. () = ask every source."""
        keep_s = self._keep_s(harvest)
        asked = (
            outcome
            for outcome in harvest.outcomes
            if outcome.status is not Status.DISABLED
            and not _is_clock_ahead(outcome.fetched_at, now)
        )
        return tuple(
            outcome
            for outcome in asked
            if now < self.due_at(outcome, keep_s) and asker.is_bound_by(outcome)
        )

    def must_keep_old(self, old: Harvest, new: Harvest, now: datetime) -> bool:
        """Whether to keep the old harvest: complete and served at once, but the new is partial."""
        return (
            old.complete
            and not new.complete
            and self.get_freshness(old, now) in (Freshness.FRESH, Freshness.REVALIDATE)
        )

    def due_at(self, outcome: FetchOutcome, keep_s: float | None = None) -> datetime:
        """Return when the source of an outcome may be asked again.

        Args:
            outcome: an outcome of a harvest.
            keep_s: the minimum time for which an answer of this harvest is kept; None = the TTL.
        """
        if outcome.status.answered:
            return outcome.fetched_at + timedelta(
                seconds=max(self.ttl_s if keep_s is None else keep_s, outcome.keep_s)
            )
        if outcome.status is Status.UNSUPPORTED:  # the plan changes no sooner than an answer
            return outcome.fetched_at + timedelta(seconds=self.ttl_s)
        earliest = outcome.fetched_at + timedelta(seconds=self.partial_s)
        return max(earliest, outcome.retry_at) if outcome.retry_at else earliest

    def _keep_s(self, harvest: Harvest) -> float:
        """Return how long answers are kept: the TTL; if empty, at most as long as a failure."""
        if harvest.origin is Origin.ARCHIVE:
            empty = not harvest.archived
        else:
            empty = {one.status for one in harvest.outcomes if one.status.answered} == {
                Status.EMPTY
            }
        return min(self.ttl_s, self.partial_s) if empty else self.ttl_s


def _is_clock_ahead(moment: datetime, now: datetime) -> bool:
    return moment > now + timedelta(seconds=MAX_CLOCK_SKEW_S)
