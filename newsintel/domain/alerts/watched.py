"""The query of a saved search as an archive query, and as the JSON in which it is stored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from newsintel.domain.alerts.model import WatchedQuery
from newsintel.domain.archive.model import ArchiveQuery
from newsintel.domain.archive.query import build_archive_query
from newsintel.domain.text.grammar import tidy_query
from newsintel.errors import InvalidParameterError


def tidy_watched(query: WatchedQuery, now: datetime) -> WatchedQuery:
    """Return a query in the form in which it is stored, if it can find something from now on.

    Raises:
        InvalidParameterError: it names q or publisher.
    """
    q = None if query.q is None else tidy_query(query.q)
    publisher = None if query.publisher is None else tidy_query(query.publisher, "publisher")
    tidied = WatchedQuery(q, tuple(dict.fromkeys(query.sources)), publisher, query.language)
    end = build_watched(tidied).end
    if end is not None and end < now:
        raise InvalidParameterError(
            "q", "ended", "before: in q lies in the past, so nothing new can match."
        )
    return tidied


def build_watched(
    query: WatchedQuery, start: datetime | None = None, end: datetime | None = None
) -> ArchiveQuery:
    """Return the archive query.

    Args:
        query: of a saved search.
        start: of the time range, for a preview.
        end: of that range.

    Raises:
        InvalidParameterError: it names q or publisher.
    """
    return build_archive_query(
        query.q,
        sources=query.sources,
        publisher=query.publisher,
        language=query.language,
        start=start,
        end=end,
    )


def write_watched(query: WatchedQuery) -> dict[str, Any]:
    """Return a query as JSON, with the names of the API."""
    return {
        "q": query.q,
        "sources": list(query.sources),
        "publisher": query.publisher,
        "language": query.language,
    }


def read_watched(stored: Mapping[str, Any]) -> WatchedQuery:
    """Read a query from JSON; absent members are None or empty."""
    return WatchedQuery(
        stored.get("q"),
        tuple(stored.get("sources") or ()),
        stored.get("publisher"),
        stored.get("language"),
    )
