"""The desk and its flights, as Protocols."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from newsintel.domain.accounts.model import Caller
from newsintel.domain.search.article import ArchivedArticle
from newsintel.domain.search.harvest import Reply
from newsintel.domain.search.query_model import Query
from newsintel.runtime.search.flight import FlightEvent
from newsintel.runtime.search.running import RunningSearch


class FlightEvents(Protocol):
    """A flight as its waiters see it: a late joiner replays it, and a leaver affects nobody."""

    async def wait_for_events(self, seen: int) -> Sequence[FlightEvent]:
        """Return the events from index `seen` on; wait until there is at least one."""
        ...


class Desk(Protocol):
    """Where routes and commands search."""

    @property
    def flights(self) -> int:
        """The number of running flights."""
        ...

    async def search(self, query: Query, asker: Caller) -> Reply:
        """Answer a query from memory, from a running flight, or from a new flight.

        Raises:
            OverloadedError: a new flight was needed, and the maximum of flights is running.
            RateLimitedError: a new flight was needed, the asker's limit of misses is used up, and
                memory holds nothing usable.
            FlightBugError: a bug ended the flight.
            UnavailableError: no source is enabled, and the archive did not answer.
        """
        ...

    async def begin_search(self, query: Query, asker: Caller) -> Reply | RunningSearch:
        """Do the same as `search`, but without waiting for the flight.

        Returns:
            The reply from memory, or the search that waits for its flight.

        Raises:
            OverloadedError, RateLimitedError: as for `search`.
        """
        ...

    async def serve_while_renewing(self, query: Query, fetched_at: datetime, asker: Caller) -> bool:
        """Return whether an answer that the caller has may be served now, while a flight renews it.

        True if memory holds the answer fetched at this time, and it is in its revalidate window.
        """
        ...

    def join_flight(self, query: Query, *, signed_in: bool) -> FlightEvents:
        """Return the running flight of a query, else start one that counts against no limit.

        Raises:
            OverloadedError: a new flight was needed, and the maximum of flights is running.
        """
        ...

    async def get_article(self, article_id: str) -> ArchivedArticle | None:
        """Return an article by its public id, from the archive or else from recent answers.

        Raises:
            UnavailableError: the archive did not answer, and no recent answer has the article.
        """
        ...
