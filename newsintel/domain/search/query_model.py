"""A live search as values: what is asked of every source. All are frozen; times are aware UTC."""

from datetime import datetime
from enum import StrEnum

from attrs import frozen


class Sort(StrEnum):
    """The order asked for; also sent upstream, so it is part of a harvest's key."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    POPULAR = "popular"


class Dedupe(StrEnum):
    """How alike two titles must be to count as one story. A view: it never costs an upstream call."""

    NORMAL = "normal"
    STRICT = "strict"
    OFF = "off"


@frozen
class Term:
    """A word, or a phrase of several words in a row, as the person typed it: in NFC, unquoted, in its own case.

    Attributes:
        phrase: a function word that was quoted is one too: "it".
    """

    text: str
    phrase: bool = False


@frozen
class Clause:
    """One alternative of a query: every `wanted` term and none of the `unwanted`. `wanted` is never empty."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...] = ()


@frozen
class Query:
    """What changes a fetch. Built by `query.build` alone, which also computes `key`.

    Attributes:
        text: q as typed, in NFC, trimmed and with folded spaces; 1 to 256 code points.
        clauses: the same as alternatives (OR) of clauses (AND).
        sources: every source selected, in founder order, those without a key included.
        start: first moment wanted, inclusive, or None.
        end: last moment wanted, inclusive, or None.
        language: two lower-case letters, or None.
        key: 32 hex digits; equal for queries that fetch the same, in whatever case their words are.
    """

    text: str
    clauses: tuple[Clause, ...]
    sources: tuple[str, ...]
    start: datetime | None
    end: datetime | None
    language: str | None
    sort: Sort
    key: str
