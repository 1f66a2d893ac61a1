"""Answered searches, as the history stores them. All values are frozen; times are aware UTC."""

from datetime import datetime

from attrs import frozen

REPEAT_S = 60.0
"""The same query of the same person within this time counts as one search (contract)."""


@frozen
class SearchSummary:
    """What the history and the counts need of an answered search, without the person.

    Attributes:
        query: the text as typed.
        key: the key of the harvest that answered.
        results_count: stories found, over all pages.
        form: the normal form; None if it is too long to be counted.
        articles: ids of the first few articles found.
    """

    query: str
    key: str
    results_count: int
    form: str | None
    articles: tuple[str, ...]


@frozen
class SearchRecord:
    """One answered search of one person, between HTTP and the recorder.

    While PostgreSQL is away, the spool keeps the columns of the history, and nothing else of it.

    Attributes:
        user_id: the internal id of the account; None for an anonymous caller, whose searches are
            counted but not stored in the history.
        person: `Caller.person`. It is never stored with a search, only counted
            (`intelligence.marks`).
        repeat_key: 32 hex digits, equal for the same person and query, but revealing neither.
            Processes use it to detect repetitions. It is not stored with the search.
    """

    query: str
    key: str
    results_count: int
    searched_at: datetime
    user_id: int | None
    person: str
    repeat_key: str
    form: str | None
    articles: tuple[str, ...]
