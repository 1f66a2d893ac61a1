"""The values of archive search: queries and results. All are frozen; times are aware UTC."""

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from newsintel.domain.paging import Position
from newsintel.domain.search.article import Article

SOURCE_NAME = r"[a-z][a-z0-9_]{0,31}"
"""The names that a source may have, whether it is an adapter of ours or named by an import."""


class ArchiveSort(StrEnum):
    """The order of archive results; ties by id."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"


class Field(StrEnum):
    """What a condition is about."""

    ANY = "any"
    """Title, description and content."""
    TITLE = "title"
    SOURCE = "source"
    PUBLISHER = "publisher"
    AUTHOR = "author"


@frozen
class Condition:
    """One condition on an article. With `negated` the article must not meet it.

    Attributes:
        text: words as typed, in NFC, unquoted, case unchanged; the name of a source is case-folded.
        phrase: the words must occur in a row.
    """

    field: Field
    text: str
    phrase: bool = False
    negated: bool = False


@frozen
class ArchiveQuery:
    """A query for the archive.

    Attributes:
        alternatives: at least one must match (OR) with all of its conditions (AND); () matches
            everything.
        sources: the adapters wanted; () = all.
        publisher: its name, in any case, or None.
        start: earliest time, inclusive, or None.
        end: latest time, inclusive, or None.
        language: two lower-case letters, or None. Articles of unknown language match, too.
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
        highlights: [start, end) of each match in `text`, in code points, in order.
    """

    text: str
    highlights: tuple[tuple[int, int], ...]


@frozen
class Hit:
    """An article found in the archive.

    Attributes:
        group_id: public id of the first article of its story; None while it is not known yet.
    """

    article: Article
    first_seen_at: datetime
    fetched_at: datetime
    snippet: Snippet | None = None
    group_id: str | None = None


@frozen
class ArchivePage:
    """Some hits, and where the next page begins; None on the last page."""

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
    """The most frequent values among the matches with their counts, at most 20 each.

    Attributes:
        counted_newest: how many of the newest matches were counted; None = all matches.
    """

    source: tuple[tuple[str, int], ...]
    publisher: tuple[tuple[str, int], ...]
    counted_newest: int | None = None
