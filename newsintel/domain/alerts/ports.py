"""Protocols of the stores of saved searches that routes and actors use.

Every method runs on trio. Its only expected errors are `UnavailableError`, `BusyError` if no slot
was free, and `AccountGoneError` if it would store data of an account that was deleted meanwhile. A
`user_id` is the internal id of an account. No method shows or changes a search of another account.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from newsintel.domain.alerts.model import (
    MatchPage,
    NewChannel,
    Preview,
    SavedSearch,
    SearchDraft,
    WatchedQuery,
)
from newsintel.domain.paging import Position

Revise = Callable[[SavedSearch], tuple[SearchDraft, Sequence[NewChannel] | None]]
"""Returns the new values of a search and all channels that it shall have; None = those it has."""


class SavedSearches(Protocol):
    """People's saved searches."""

    async def create(
        self,
        user_id: int,
        draft: SearchDraft,
        channels: Sequence[NewChannel],
        most: int,
        at: datetime,
    ) -> SavedSearch | None:
        """Store a new search under a new id; None if the account has `most` already.

        Raises:
            InvalidParameterError: no article could be found to belong to it without trying all
                searches (names `q`), or nearly every article matches.
        """
        ...

    async def list_of_user(self, user_id: int) -> tuple[SavedSearch, ...]:
        """Return an account's searches, the newest first."""
        ...

    async def find(self, user_id: int, public_id: str) -> SavedSearch | None:
        """Return one of an account's searches; None if it has no such search."""
        ...

    async def change(
        self,
        user_id: int,
        public_id: str,
        revise: Revise,
        at: datetime,
    ) -> SavedSearch | None:
        """Store new values; None if the account has no such search.

        They are made from the search as it is when they are stored: of two changes at once, the
        second one sees the first.

        After a change of the query or a pause, only articles that arrive from now on alert.

        Args:
            user_id: the id of the account.
            public_id: of the search.
            revise: makes the new values, without waiting. A channel with the kind and address of
                an earlier one keeps its secret and is enabled again.
            at: the current time.

        Raises:
            InvalidParameterError: as from `create`.
        """
        ...

    async def delete(self, user_id: int, public_id: str) -> bool:
        """Delete a search with all that belongs to it; False if the account has no such search."""
        ...

    async def list_matches(
        self, user_id: int, public_id: str, limit: int, after: Position | None
    ) -> MatchPage | None:
        """Return up to `limit` stories after a position, the latest first.

        None if the account has no such search.
        """
        ...

    async def preview(self, query: WatchedQuery, now: datetime) -> Preview:
        """Return what a query would have brought.

        Raises:
            InvalidParameterError: as from `create`.
            ArchiveTimeoutError: it took too long.
        """
        ...


class AlertMatching(Protocol):
    """Finds the saved searches of new articles, for the matcher and the janitor."""

    async def match_batch(self) -> int:
        """Match some articles whose stories are known, the earliest first.

        Each story that a search did not have yet is one match, and waits in the outbox for each of
        the search's channels. All of a batch is stored at once, or nothing.

        Returns:
            How many articles were matched.
        """
        ...

    async def prune_matches(self, before: datetime) -> int:
        """Delete matches older than a time; return how many."""
        ...
