"""What the limits of sources need of the outside world, as Protocols."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from attrs import frozen

from newsintel.domain.limits.admission import Start, Turned
from newsintel.domain.limits.quotas import Spent, Terms
from newsintel.domain.search.outcome import Status


class Ledger(Protocol):
    """Redis, as the fetchers see it: the starts of every process's calls to each source. Times are trio's, in seconds.

    Raises UnavailableError; whether what was asked for was done is then not known.
    """

    async def reserve(
        self, source: str, terms: Terms, name: str, before: Mapping[str, float], decide: Callable[[Spent, float], Start | Turned]
    ) -> Start | Turned:
        """Enter a start, such that no process's start comes in between what was decided upon and the entry.

        Args:
            source: whose ledger.
            terms: tells which starts matter.
            name: of the start, unlike any other's.
            before: starts that could not be entered when they were made, by name; they are entered first.
            decide: says by what was spent, and the time at which that was so, when the start may be. Called once or more.
        """
        ...

    async def give_back(self, source: str, name: str) -> None:
        """Strike a start out whose call was never made."""
        ...

    async def spent(self, source: str, terms: Terms) -> Spent:
        """What is spent at this moment."""
        ...


@frozen
class SourceState:
    """How one source stands at this moment, as its fetcher knows it.

    Attributes:
        blocked: why it would not be asked now; None = it would be.
        retry_at: when it will be asked again, if it is blocked and that is known.
        quota_left: calls left in its quota's window; None = it has no quota.
    """

    blocked: Status | None = None
    retry_at: datetime | None = None
    quota_left: int | None = None


class SourceStates(Protocol):
    """Tells how the sources stand; costs no call to any of them."""

    def __call__(self) -> Mapping[str, SourceState]:
        """Every enabled source by name, as this process last knew it."""
        ...

    async def look(self) -> None:
        """Learn what other processes have spent of the quotas; with Redis away nothing is learned."""
        ...
