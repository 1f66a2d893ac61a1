"""Protocols of the stores for a person's own data that routes and the recorder use.

Every method runs on trio. Its only expected errors are `UnavailableError`, `BusyError` if no slot
was free, and `AccountGoneError` if it would store data of an account that was deleted meanwhile. A
`user_id` is the internal id of an account. No method shows or changes data of another account.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from newsintel.domain.paging import Position
from newsintel.domain.personal.model import (
    Dismissal,
    MarkPage,
    NotSamePage,
    OwnedFeed,
    PastSearches,
    PrivateFeed,
    PutResult,
    Save,
    SavedPage,
)
from newsintel.domain.search.article import Article
from newsintel.domain.search.history import SearchRecord
from newsintel.domain.search.query_model import Clause


class History(Protocol):
    """The search history, for the recorder and the janitor."""

    async def record_searches(self, searches: Sequence[SearchRecord]) -> None:
        """Append searches, except those of deleted accounts and those cleared meanwhile."""
        ...

    async def prune_searches(self, before: datetime) -> int:
        """Delete searches older than a time, in short transactions. Two processes share the work.

        Returns:
            How many it deleted. After an error, earlier deletions stay.
        """
        ...


class PreferenceStore(Protocol):
    """People's preferences, as JSON by name."""

    async def get_all(self, user_id: int) -> Mapping[str, Any]:
        """Return all values of an account, by key."""
        ...

    async def put(self, user_id: int, key: str, value: Any, at: datetime) -> PutResult:
        """Store a value from `check_preference`; FULL if the account has the maximum number.

        Raises:
            PoisonedBatchError: the value is too large in PostgreSQL's format.
        """
        ...

    async def delete(self, user_id: int, key: str) -> bool:
        """Delete a value; False if there was none."""
        ...


class SavedArticles(Protocol):
    """People's saved articles, with their notes."""

    async def list_page(
        self,
        user_id: int,
        words: Sequence[Clause] | None,
        limit: int,
        after: Position | None,
        *,
        content: bool = False,
    ) -> SavedPage:
        """Return up to `limit` saves after a position, the latest first.

        With words a page may have fewer saves, or none, although there is a next page.

        Args:
            user_id: the id of the account.
            words: alternatives from `parse_saved_query`. Title, publisher and notes together must
                match at least one; None = all saves.
            limit: the size of the page.
            after: where the previous page ended.
            content: include the texts of the articles.
        """
        ...

    async def put(
        self,
        user_id: int,
        article: Article,
        fetched_at: datetime,
        *,
        notes: str | None,
        keep_notes: bool,
        at: datetime,
    ) -> tuple[Save, PutResult]:
        """Save an article. If it was saved before, only its notes change, unless `keep_notes`.

        FULL if the account has the maximum number; then nothing is stored.

        Args:
            user_id: the id of the account.
            article: the article. If the archive does not have it yet, the same transaction adds it
                there.
            fetched_at: when the article was fetched.
            notes: the person's notes, or None.
            keep_notes: an earlier save keeps its notes.
            at: the current time.
        """
        ...

    async def delete(self, user_id: int, article_id: str) -> bool:
        """Delete a save; False if there was none."""
        ...


class Feedback(Protocol):
    """Articles that people opened or dismissed. Each person's newest 5,000 of either are kept."""

    async def record_opened(
        self, user_id: int, article: Article, fetched_at: datetime, at: datetime
    ) -> None:
        """Record that a person opened an article, possibly again.

        Args:
            user_id: the id of the account.
            article: the article. If the archive does not have it yet, the same transaction adds it
                there.
            fetched_at: when the article was fetched.
            at: the current time.
        """
        ...

    async def record_dismissed(
        self, user_id: int, article: Article, fetched_at: datetime, at: datetime, reason: Dismissal
    ) -> None:
        """Record a dismissal, possibly again with another reason. See `record_opened`."""
        ...

    async def delete_opened(self, user_id: int, article_id: str) -> bool:
        """Delete the record that an article was opened; False if there was none."""
        ...

    async def delete_dismissed(self, user_id: int, article_id: str) -> bool:
        """Delete the record that an article was dismissed; False if there was none."""
        ...

    async def list_opened(self, user_id: int, limit: int, after: Position | None) -> MarkPage:
        """Return up to `limit` opened articles after a position, the latest first."""
        ...

    async def list_dismissed(self, user_id: int, limit: int, after: Position | None) -> MarkPage:
        """Return up to `limit` dismissed articles after a position, the latest first."""
        ...


class NotSame(Protocol):
    """Pairs of articles that people called different stories; each person's newest 5,000."""

    async def record(
        self, user_id: int, pair: Sequence[tuple[Article, datetime]], at: datetime
    ) -> None:
        """Record that two articles are not one story, possibly again.

        Args:
            user_id: the id of the account.
            pair: two different articles, each with the time of its fetch. If the archive does not
                have one yet, the same transaction adds it there.
            at: the current time.
        """
        ...

    async def delete(self, user_id: int, article_id: str, other_id: str) -> bool:
        """Delete a mark, whatever the order of its articles; False if there was none."""
        ...

    async def find_others(self, user_id: int, article_id: str) -> frozenset[str]:
        """Return the public ids of the articles that are not one story with an article."""
        ...

    async def list_page(self, user_id: int, limit: int, after: Position | None) -> NotSamePage:
        """Return up to `limit` marks after a position, the latest first."""
        ...


class OwnHistory(Protocol):
    """The searches of one account."""

    async def list_page(self, user_id: int, limit: int, after: Position | None) -> PastSearches:
        """Return up to `limit` searches after a position, the latest first."""
        ...

    async def delete(self, user_id: int, search_id: str) -> bool:
        """Delete one search; False if the account has no search with this id."""
        ...

    async def find_lone_keys(self, user_id: int, since: datetime) -> Sequence[str]:
        """Return the keys of harvests that since a time only this account has searched for."""
        ...

    async def clear(self, user_id: int, until: datetime) -> None:
        """Delete all searches up to a time, including those that the recorder still holds."""
        ...


class AccountData(Protocol):
    """An account as a whole."""

    async def list_identities(self, user_id: int) -> Sequence[tuple[str, str]]:
        """Return provider and subject of each of an account's identities."""
        ...

    async def delete(self, user_id: int) -> None:
        """Delete an account and all its data in PostgreSQL. Does nothing if it does not exist."""
        ...


class PrivateFeeds(Protocol):
    """People's private feeds."""

    async def create(
        self, user_id: int, feed: PrivateFeed, digest: str, most: int
    ) -> PrivateFeed | None:
        """Store a new feed under a new id; None if the account has `most` feeds already."""
        ...

    async def list_of_user(self, user_id: int) -> tuple[PrivateFeed, ...]:
        """Return an account's feeds, the newest first."""
        ...

    async def revoke(self, user_id: int, public_id: str) -> bool:
        """End a feed at once; False if the account has no such feed."""
        ...

    async def find(self, digest: str) -> OwnedFeed | None:
        """Return a feed by the SHA-256 of its address's secret, in hexadecimal."""
        ...
