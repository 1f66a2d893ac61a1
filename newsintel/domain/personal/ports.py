"""What routes and the recorder need of the stores about one person's own things, as Protocols: beside `ports`, with the same promise.

Every method is trio-flavoured and raises `UnavailableError` (`BusyError` when no slot was free), or `AccountGoneError` where it would keep
something of an account that is deleted meanwhile, and nothing else that is foreseen. A `user_id` is an account's inside the process; no
method shows or changes anything of another account.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from newsintel.domain.paging import Position
from newsintel.domain.personal.model import Dismissal, MarkPage, PastSearches, Put, Save, SavedPage
from newsintel.domain.search.article import Article
from newsintel.domain.search.history import SearchRecord
from newsintel.domain.search.query_model import Clause


class History(Protocol):
    """The search history, as the recorder and the janitor see it."""

    async def record(self, searches: Sequence[SearchRecord]) -> None:
        """Append searches, but for those whose owners are gone or have cleared them since."""
        ...

    async def prune(self, before: datetime) -> int:
        """Delete the searches made before a moment, in short transactions; two at once share the work.

        Returns:
            How many it deleted. What it had deleted when it raised stays deleted.
        """
        ...


class PreferenceStore(Protocol):
    """What people have had remembered, as JSON by name."""

    async def all(self, user_id: int) -> Mapping[str, Any]:
        """Everything that an account keeps, by key."""
        ...

    async def put(self, user_id: int, key: str, value: Any, at: datetime) -> Put:
        """Keep a value, which `preferences.checked` gave; FULL if the account has as many others as it may.

        Raises:
            PoisonedBatchError: the value takes more room than it may, as PostgreSQL writes it.
        """
        ...

    async def delete(self, user_id: int, key: str) -> bool:
        """Forget a value; False if there was none."""
        ...


class SavedArticles(Protocol):
    """Which articles people saved, with their notes."""

    async def page(
        self, user_id: int, words: Sequence[Clause] | None, limit: int, after: Position | None, *, content: bool = False
    ) -> SavedPage:
        """Up to `limit` saves after a position, the latest first. With words there may be fewer, or none, and still more to come.

        Args:
            user_id: the account's.
            words: from `saved_query.build`; of these alternatives title, publisher and notes together must meet one; None = anything.
            limit: of the page.
            after: where the page before ended.
            content: with the texts of the articles.
        """
        ...

    async def put(
        self, user_id: int, article: Article, fetched_at: datetime, *, notes: str | None, keep_notes: bool, at: datetime
    ) -> tuple[Save, Put]:
        """Save an article, or save it again: the same save then, whose notes change unless they are to be kept.

        FULL if the account has as many others as it may; nothing is kept then.

        Args:
            user_id: the account's.
            article: what is saved; if the archive does not have it yet, it goes there in the same transaction.
            fetched_at: when the article was fetched.
            notes: the person's words, or None.
            keep_notes: an older save keeps its notes.
            at: the time now.
        """
        ...

    async def delete(self, user_id: int, article_id: str) -> bool:
        """Forget a save; False if there was none."""
        ...


class Feedback(Protocol):
    """What people opened, and what they do not want to see. Of each person the newest 5,000 of either are kept."""

    async def open(self, user_id: int, article: Article, fetched_at: datetime, at: datetime) -> None:
        """Note that somebody opened an article, or did so again.

        Args:
            user_id: the account's.
            article: if the archive does not have it yet, it goes there in the same transaction.
            fetched_at: when the article was fetched.
            at: the time now.
        """
        ...

    async def dismiss(self, user_id: int, article: Article, fetched_at: datetime, at: datetime, reason: Dismissal) -> None:
        """Note that somebody does not want an article, or now for another reason; the arguments likewise."""
        ...

    async def forget_opened(self, user_id: int, article_id: str) -> bool:
        """Forget that an article was opened; False if it was not."""
        ...

    async def forget_dismissed(self, user_id: int, article_id: str) -> bool:
        """Forget that an article was dismissed; False if it was not."""
        ...

    async def opened(self, user_id: int, limit: int, after: Position | None) -> MarkPage:
        """Up to `limit` opened articles after a position, the latest first."""
        ...

    async def dismissed(self, user_id: int, limit: int, after: Position | None) -> MarkPage:
        """Up to `limit` dismissed articles after a position, the latest first."""
        ...


class OwnHistory(Protocol):
    """The searches that one account made."""

    async def page(self, user_id: int, limit: int, after: Position | None) -> PastSearches:
        """Up to `limit` searches after a position, the latest first."""
        ...

    async def delete(self, user_id: int, search_id: str) -> bool:
        """Forget one search; False if the account made none of that id."""
        ...

    async def lone_keys(self, user_id: int, since: datetime) -> Sequence[str]:
        """Keys of the harvests that this account has searched for since a moment, and nobody else has."""
        ...

    async def clear(self, user_id: int, until: datetime) -> None:
        """Forget every search up to a moment, those that the recorder still holds included."""
        ...


class AccountData(Protocol):
    """An account as a whole."""

    async def identities(self, user_id: int) -> Sequence[tuple[str, str]]:
        """The provider and subject of each of an account's ways in."""
        ...

    async def delete(self, user_id: int) -> None:
        """Delete an account with everything in PostgreSQL that refers to it; does nothing if it is gone."""
        ...
