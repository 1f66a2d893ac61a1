"""The query of a live search, which every source gets. Values are frozen; times are aware UTC."""

from datetime import datetime
from enum import StrEnum

from attrs import frozen


class Sort(StrEnum):
    """The requested order. It is also sent upstream, so it is part of a harvest's key."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    POPULAR = "popular"


class Dedupe(StrEnum):
    """Which titles tell one story: by their words, by their letters, or none.

    A view: it never causes an upstream call.
    """

    NORMAL = "normal"
    STRICT = "strict"
    OFF = "off"


@frozen
class Term:
    """A word, or a phrase of several words in a row, as typed: in NFC, unquoted, case unchanged.

    Attributes:
        phrase: whether it is a phrase. A quoted function word is one, too: "it".
    """

    text: str
    phrase: bool = False


@frozen
class Clause:
    """One alternative of a query: all `wanted` terms, at least one, and no `unwanted` term."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...] = ()


@frozen
class Query:
    """Everything that affects a fetch. Only `build_query` builds it and computes `key`.

    Attributes:
        text: q as typed, in NFC, trimmed and with folded spaces; 1 to 256 code points.
        clauses: the same as alternatives (OR) of clauses (AND).
        sources: all selected sources, in founder order, including those without a key.
        start: earliest time, inclusive, or None.
        end: latest time, inclusive, or None.
        language: two lower-case letters, or None.
        key: 32 hex digits, equal for queries that fetch the same. Case does not matter, except in
            bare function words.
    """

    text: str
    clauses: tuple[Clause, ...]
    sources: tuple[str, ...]
    start: datetime | None
    end: datetime | None
    language: str | None
    sort: Sort
    key: str
