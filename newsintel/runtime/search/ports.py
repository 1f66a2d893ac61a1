"""Where searches are asked for, as Protocols."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from newsintel.domain.accounts.model import Caller
from newsintel.domain.search.article import ArchivedArticle
from newsintel.domain.search.harvest import Reply
from newsintel.domain.search.query_model import Query
from newsintel.runtime.search.flight import FlightEvent


class Joined(Protocol):
    """A flight, as its waiters see it: late joiners replay, a leaver disturbs nothing."""

    async def after(self, seen: int) -> Sequence[FlightEvent]:
        """The events from index `seen` on; waits until there is at least one."""
        ...


class Desk(Protocol):
    """Where routes and commands ask."""

    async def search(self, query: Query, asker: Caller) -> Reply:
        """Answer a query: from memory, from a flight in the air, or from a new one.

        Raises:
            OverloadedError: a new flight was needed and every place is taken.
            RateLimitedError: a new flight was needed, and the asker has had as many as a person may.
            FlightBugError: a bug ended the flight.
        """
        ...

    async def renewing(self, query: Query, fetched_at: datetime, asker: Caller) -> bool:
        """Whether the answer fetched then is the one in memory, and may be given while it is renewed."""
        ...

    def join(self, query: Query, *, signed_in: bool) -> Joined:
        """The flight of a query, started at nobody's cost if none is in the air. Raises OverloadedError."""
        ...

    async def article(self, article_id: str) -> ArchivedArticle | None:
        """One article by its public id: from the archive, which knows most of it, else from recent answers. Raises UnavailableError."""
        ...
