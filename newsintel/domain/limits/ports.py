"""Protocols for what the limits of sources need."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from attrs import frozen

from newsintel.domain.limits.admission import Refused, Start
from newsintel.domain.limits.quotas import SourceLimits, Spent
from newsintel.domain.search.outcome import Status


class Ledger(Protocol):
    """The ledger in Redis: the starts of all processes' calls to each source.

    Times are trio's, in seconds. Methods raise UnavailableError; then it is unknown whether the
    operation was done.
    """

    async def reserve(
        self,
        source: str,
        terms: SourceLimits,
        name: str,
        before: Mapping[str, float],
        decide: Callable[[Spent, float], Start | Refused],
    ) -> Start | Refused:
        """Decide on a start and enter it atomically: no other start comes between.

        Args:
            source: the source of the ledger.
            terms: they define which starts count.
            name: the unique name of the start.
            before: starts that could not be entered when they were made, by name. They are entered
                first.
            decide: returns when the start may be, from what was spent and the time of that state.
                Called once or more.
        """
        ...

    async def give_back(self, source: str, name: str) -> None:
        """Remove a start whose call was never made."""
        ...

    async def read_spent(self, source: str, terms: SourceLimits) -> Spent:
        """Return what is spent now."""
        ...


@frozen
class SourceState:
    """The current state of one source, as its fetcher knows it.

    Attributes:
        blocked: why it would not be asked now; None = it would be asked.
        retry_at: when it will be asked again, if it is blocked and this is known.
        quota_left: calls left in the window of its quota; None = it has no quota.
    """

    blocked: Status | None = None
    retry_at: datetime | None = None
    quota_left: int | None = None


class SourceStates(Protocol):
    """Returns the states of the sources, without calling any of them."""

    def __call__(self) -> Mapping[str, SourceState]:
        """Return the last known state of every enabled source, by name."""
        ...

    async def refresh_quotas(self) -> None:
        """Read what other processes have spent of the quotas. No effect without Redis."""
        ...
