"""Bodies of archive searches: pure functions from results to JSON values."""

from collections.abc import Iterable, Sequence
from typing import Any

from newsintel.domain.archive.model import ArchivePage, Bar, Facets, Hit, Snippet
from newsintel.domain.text.moments import rfc3339
from newsintel.http.bodies.search import summary


def page_body(page: ArchivePage, next_cursor: str | None) -> dict[str, Any]:
    """The body of GET /archive."""
    return {"articles": [_hit(hit) for hit in page.hits], "next_cursor": next_cursor}


def timeline_body(bars: Iterable[Bar]) -> dict[str, Any]:
    """The body of GET /archive/timeline."""
    return {"buckets": [{"start": rfc3339(bar.start, "seconds"), "count": bar.count} for bar in bars]}


def facets_body(facets: Facets) -> dict[str, Any]:
    """The body of GET /archive/facets."""
    body: dict[str, Any] = {"source": _counts(facets.source), "publisher": _counts(facets.publisher)}
    return body if facets.counted_newest is None else body | {"counted_newest": facets.counted_newest}


def _hit(hit: Hit) -> dict[str, Any]:
    return summary(hit.article) | {
        "first_seen_at": rfc3339(hit.first_seen_at),
        "fetched_at": rfc3339(hit.fetched_at),
        "snippet": None if hit.snippet is None else _snippet(hit.snippet),
    }


def _snippet(snippet: Snippet) -> dict[str, Any]:
    return {"text": snippet.text, "highlights": [list(span) for span in snippet.highlights]}


def _counts(values: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"value": value, "count": count} for value, count in values]
