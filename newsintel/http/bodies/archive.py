"""Bodies of archive searches: pure functions from results to JSON values."""

from collections.abc import Iterable, Sequence
from typing import Any

from newsintel.domain.archive.model import ArchivePage, Bar, Facets, Hit, Snippet
from newsintel.domain.text.moments import format_time
from newsintel.http.bodies.search import summarize_article


def build_page_body(page: ArchivePage, next_cursor: str | None) -> dict[str, Any]:
    """The body of GET /archive."""
    return {"articles": [build_hit_body(hit) for hit in page.hits], "next_cursor": next_cursor}


def build_timeline_body(bars: Iterable[Bar]) -> dict[str, Any]:
    """The body of GET /archive/timeline."""
    return {
        "buckets": [
            {"start": format_time(bar.start, "seconds"), "count": bar.count} for bar in bars
        ]
    }


def build_facets_body(facets: Facets) -> dict[str, Any]:
    """The body of GET /archive/facets."""
    body: dict[str, Any] = {
        "source": _build_counts(facets.source),
        "publisher": _build_counts(facets.publisher),
    }
    return (
        body if facets.counted_newest is None else body | {"counted_newest": facets.counted_newest}
    )


def build_hit_body(hit: Hit) -> dict[str, Any]:
    """An article found in the archive."""
    return summarize_article(hit.article) | {
        "first_seen_at": format_time(hit.first_seen_at),
        "fetched_at": format_time(hit.fetched_at),
        "group_id": hit.group_id,
        "snippet": None if hit.snippet is None else _build_snippet(hit.snippet),
    }


def _build_snippet(snippet: Snippet) -> dict[str, Any]:
    return {"text": snippet.text, "highlights": [list(span) for span in snippet.highlights]}


def _build_counts(values: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"value": value, "count": count} for value, count in values]
