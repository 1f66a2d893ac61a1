"""Protocols of the stores for feed readers. Their errors are those of `personal.ports`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen

from newsintel.domain.archive.model import ArchiveQuery, Hit
from newsintel.domain.paging import Position
from newsintel.domain.reader.model import Item, ItemState, Stream


class Streams(Protocol):
    """What a person follows."""

    async def list_streams(self, user_id: int) -> Sequence[Stream]:
        """Return the streams of an account, in the order in which readers show them."""
        ...


class ReaderArticles(Protocol):
    """The articles of the archive, for feed readers."""

    async def list_items(self, query: ArchiveQuery, limit: int) -> Sequence[Item]:
        """Return the `limit` newest matches, the latest published first.

        Raises:
            ArchiveTimeoutError: the query exceeded its time limit.
        """
        ...

    async def find_articles(self, prefixes: Sequence[str], chars: int) -> Sequence[Hit]:
        """Return the archived articles whose ids begin like this, in any order.

        Args:
            prefixes: from `item_ids.restore_prefix`.
            chars: characters of each content, and of each description, at most.
        """
        ...


@frozen
class ReadMark:
    """An article that a person has read."""

    article_id: str
    read_at: datetime


@frozen
class ReadMarkPage:
    """Some marks, the latest first, and where the next page begins; None on the last page."""

    marks: tuple[ReadMark, ...]
    next: Position | None


class ReadMarks(Protocol):
    """Which articles people have read; each person's newest 60,000 marks are kept."""

    async def mark_read(self, user_id: int, article_ids: Sequence[str], at: datetime) -> None:
        """Mark archived articles as read, possibly again. Others are ignored."""
        ...

    async def mark_unread(self, user_id: int, article_ids: Sequence[str]) -> None:
        """Remove the marks of articles; those without a mark stay as they are."""
        ...

    async def find_states(
        self, user_id: int, article_ids: Sequence[str]
    ) -> Mapping[str, ItemState]:
        """Return the states of those articles that are read or saved, by public id."""
        ...

    async def list_starred(self, user_id: int) -> Sequence[Item]:
        """Return the articles that a person saved as items that arrived when they were saved."""
        ...

    async def list_page(self, user_id: int, limit: int, after: Position | None) -> ReadMarkPage:
        """Return up to `limit` marks after a position, the latest first."""
        ...
