"""The values of one account's data: saved, opened and dismissed articles, and past searches.

All are frozen; times are aware UTC.
"""

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from newsintel.domain.paging import Position
from newsintel.domain.search.article import Article


@frozen
class Save:
    """A saved article.

    Attributes:
        notes: the person's own words, at most 10,000 characters, or None.
        saved_at: when it was first saved. Changing the notes does not change it.
    """

    article: Article
    notes: str | None
    saved_at: datetime


@frozen
class SavedPage:
    """Some saves, the latest first, and where the next page begins; None on the last page."""

    saves: tuple[Save, ...]
    next: Position | None


class Dismissal(StrEnum):
    """Why an article is not wanted."""

    HIDE = "hide"
    """Only this article; it says nothing about others."""
    LESS_LIKE_THIS = "less_like_this"


@frozen
class ArticleMark:
    """An opened or dismissed article.

    Attributes:
        at: the last time.
        reason: the reason of a dismissal; None for an opened article.
    """

    article: Article
    at: datetime
    reason: Dismissal | None


@frozen
class MarkPage:
    """Some opened or dismissed articles, the latest first.

    `next` is where the next page begins; None on the last page.
    """

    marks: tuple[ArticleMark, ...]
    next: Position | None


@frozen
class NotSameMark:
    """Two articles that a person called different stories, by their public ids, in either order."""

    article_id: str
    other_id: str
    marked_at: datetime


@frozen
class NotSamePage:
    """Some marks, the latest first, and where the next page begins; None on the last page."""

    marks: tuple[NotSameMark, ...]
    next: Position | None


@frozen
class PastSearch:
    """A past search of a person.

    Attributes:
        id: `h_` and 20 random lower-case base32 characters.
        query: q as parsed: normalised, case unchanged.
    """

    id: str
    query: str
    results_count: int
    searched_at: datetime


@frozen
class PastSearches:
    """Some searches, the latest first, and where the next page begins; None on the last page."""

    searches: tuple[PastSearch, ...]
    next: Position | None


MOST_FEEDS = 20
"""Maximum private feeds of one account: more than one person's readers need."""


class FeedList(StrEnum):
    """What a private feed shows."""

    SAVED = "saved"
    ARCHIVE = "archive"


@frozen
class PrivateFeed:
    """A private feed as its owner sees it. Its address is missing: only a digest of it is stored.

    Attributes:
        public_id: `f_` and 20 lower-case base32 characters.
        name: the owner's own; the title of the feed.
        q: the query of the list, tidied; None = everything.
    """

    public_id: str
    name: str
    shows: FeedList
    q: str | None
    created_at: datetime


@frozen
class OwnedFeed:
    """A private feed, found by its address.

    Attributes:
        user_id: the internal id of the owner's account.
        person: the public id of the owner's account.
    """

    user_id: int
    person: str
    feed: PrivateFeed


class PutResult(StrEnum):
    """The result of storing a value under a name."""

    NEW = "new"
    CHANGED = "changed"
    FULL = "full"
    """It was not stored: the maximum number exists already."""
