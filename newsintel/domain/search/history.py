"""Searches that were answered, as the history keeps them. All values are frozen; times are aware UTC."""

from datetime import datetime

from attrs import frozen

REPEAT_S = 60.0
"""The same person and query within it is the same search to the history (contract)."""


@frozen
class Searched:
    """What of an answered search goes into the history and the counts, whoever asked.

    Attributes:
        query: its text as the person typed it.
        key: of the harvest that answered.
        results_count: stories found, over all pages.
        form: its normal form; None if it is too long to be counted.
        articles: ids of the first articles found, a few.
    """

    query: str
    key: str
    results_count: int
    form: str | None
    articles: tuple[str, ...]


@frozen
class SearchRecord:
    """One search answered, for the history and the counts; it lives between HTTP and the recorder, in memory alone.

    Attributes:
        user_id: the account's, inside the process; None for an anonymous caller, of whom nothing is kept.
        person: `Caller.person`; never kept with a search, only counted (`intelligence.marking`).
        repeat_key: 32 hex digits, the same for the same person and query, which say nothing of either; by it processes tell a
            repetition, and it is not kept with the search.
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
