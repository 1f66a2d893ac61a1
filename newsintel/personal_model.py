"""The values of what belongs to one account: saved articles and past searches. All are frozen; times are aware UTC."""

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from newsintel.archive_model import Position
from newsintel.model import Article


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
