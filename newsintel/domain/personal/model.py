"""The values of what belongs to one account: saved, opened and dismissed articles, and past searches. All are frozen, times aware UTC."""

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from newsintel.domain.paging import Position
from newsintel.domain.search.article import Article


@frozen
class Save:
    """An article that somebody saved.

    Attributes:
        notes: the person's own words, at most 10,000 characters, or None.
        saved_at: when it was first saved; changing the notes does not move it.
    """

    article: Article
    notes: str | None
    saved_at: datetime


@frozen
class SavedPage:
    """Some saves, the latest first, and where the next page begins; None on the last."""

    saves: tuple[Save, ...]
    next: Position | None


class Dismissal(StrEnum):
    """Why an article is not wanted."""

    HIDE = "hide"
    """Not this one; it says nothing of others."""
    LESS_LIKE_THIS = "less_like_this"


@frozen
class Mark:
    """An article that somebody opened or dismissed.

    Attributes:
        at: the last time.
        reason: of a dismissal; None on an article that was opened.
    """

    article: Article
    at: datetime
    reason: Dismissal | None


@frozen
class MarkPage:
    """Some opened or dismissed articles, the latest first, and where the next page begins; None on the last."""

    marks: tuple[Mark, ...]
    next: Position | None


@frozen
class PastSearch:
    """A search that somebody made.

    Attributes:
        id: `h_` and 20 lower-case base32 characters, at random.
        query: q as it was understood: normalised, its case as typed.
    """

    id: str
    query: str
    results_count: int
    searched_at: datetime


@frozen
class PastSearches:
    """Some searches, the latest first, and where the next page begins; None on the last."""

    searches: tuple[PastSearch, ...]
    next: Position | None


class Put(StrEnum):
    """What became of a value that was to be kept under a name."""

    NEW = "new"
    CHANGED = "changed"
    FULL = "full"
    """It was not kept: there are as many already as there may be."""
