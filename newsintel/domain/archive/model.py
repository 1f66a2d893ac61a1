"""The values of archive search: what is asked of the archive and what comes back. All are frozen; times are aware UTC."""

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from newsintel.domain.paging import Position
from newsintel.domain.search.article import Article

SOURCE_NAME = r"[a-z][a-z0-9_]{0,31}"
"""What a source may be called, an adapter of ours or one that an import names."""


class ArchiveSort(StrEnum):
    """The order of archive results; ties by id."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"


class Field(StrEnum):
    """What a condition looks at."""

    ANY = "any"
    """Title, description and content."""
    TITLE = "title"
    SOURCE = "source"
    PUBLISHER = "publisher"
    AUTHOR = "author"


@frozen
class Condition:
    """One thing an article must, or with `negated` must not, have.

    Attributes:
        text: words as typed, in NFC, unquoted, in their own case; a source's name is folded.
        phrase: the words in a row, not anywhere.
    """

    field: Field
    text: str
    phrase: bool = False
    negated: bool = False


@frozen
class ArchiveQuery:
    """What is asked of the archive.

    Attributes:
        alternatives: one of them must hold (OR), each when all of its conditions do (AND); () asks for everything.
        sources: the adapters wanted; () = all.
        publisher: its name, in any case, or None.
        start: first moment wanted, inclusive, or None.
        end: last moment wanted, inclusive, or None.
        language: two lower-case letters, or None; articles of unknown language then count as well.
    """

    alternatives: tuple[tuple[Condition, ...], ...] = ()
    sources: tuple[str, ...] = ()
    publisher: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    language: str | None = None
    sort: ArchiveSort = ArchiveSort.NEWEST


@frozen
class Snippet:
    """A passage that shows why an article matched.

    Attributes:
        highlights: [start, end) of each match within `text`, in code points, in order.
    """

    text: str
    highlights: tuple[tuple[int, int], ...]


@frozen
class Hit:
    """An article found in the archive."""

    article: Article
    first_seen_at: datetime
    fetched_at: datetime
    snippet: Snippet | None = None


@frozen
class ArchivePage:
    """Some hits, and where the next page begins; None on the last."""

    hits: tuple[Hit, ...]
    next: Position | None


class Bucket(StrEnum):
    """The width of a timeline's bars. Weeks start on Monday; all in UTC."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


@frozen
class Bar:
    """Articles published from `start` until the next bar."""

    start: datetime
    count: int


@frozen
class Facets:
    """The commonest values among the matches, most first, at most 20 each, with the number of articles that have them.

    Attributes:
        counted_newest: how many matches were counted, the newest; None = all of them.
    """

    source: tuple[tuple[str, int], ...]
    publisher: tuple[tuple[str, int], ...]
    counted_newest: int | None = None
