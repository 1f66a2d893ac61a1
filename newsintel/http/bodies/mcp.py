"""Results of the MCP tools: what our bodies say, within a number of bytes. Pure functions.

A language model pays for each byte that it reads. So a result has no empty member, and one that is
too long loses first its descriptions, then its last entries. It says how many it left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from newsintel.domain.search.codec import to_json
from newsintel.domain.search.outcome import Status
from newsintel.http.bodies.schemas.parts import (
    ARTICLE_ID,
    COUNT,
    FLAG,
    MOMENT,
    NUMBER,
    TEXT,
    list_of,
    map_of,
    object_of,
    one_of,
)

Body = dict[str, Any]

DESCRIPTION_CHARS = (400, 200, 100, 0)
"""The lengths of a description that are tried, until a result fits."""

REPORT_MEMBERS = ("status", "kept", "retry_at")
"""What a result shows of each source's report. `status` is always there."""

ARTICLE_MEMBERS = ("id", "title", "url", "publisher", "source", "published_at", "language", "score")

_RESULT = object_of(
    {
        "id": ARTICLE_ID,
        "title": TEXT,
        "url": TEXT,
        "publisher": TEXT,
        "source": TEXT,
        "published_at": MOMENT,
    },
    description=TEXT,
    language=TEXT,
    score=NUMBER,
    also_reported_by=list_of(TEXT),
    reasons=list_of(TEXT),
)
_REPORT = object_of(
    {"status": one_of(Status)},
    kept=COUNT,
    retry_at=MOMENT,
)
_LIST = {"results": list_of(_RESULT), "left_out": COUNT}

SEARCH_RESULT = object_of(
    _LIST
    | {
        "total": COUNT,
        "page": COUNT,
        "has_more": FLAG,
        "complete": FLAG,
        "origin": TEXT,
        "fetched_at": MOMENT,
        "sources": map_of(_REPORT),
    },
    notice=TEXT,
)
ARCHIVE_RESULT = object_of(_LIST, next_cursor=TEXT)
SIMILAR_RESULT = object_of(_LIST)
TREND_RESULT = object_of(
    {
        "window": TEXT,
        "searches": list_of(object_of({"query": TEXT, "people": COUNT}, reasons=list_of(TEXT))),
        "left_out": COUNT,
    }
)
FETCH_RESULT = object_of(
    {
        "id": ARTICLE_ID,
        "title": TEXT,
        "url": TEXT,
        "text": TEXT,
        "metadata": {"type": "object"},
    },
    next_offset=COUNT,
)
STORY_RESULT = object_of(
    {
        "id": ARTICLE_ID,
        "title": TEXT,
        "url": TEXT,
        "reports": list_of(
            object_of(
                {"publisher": TEXT, "published_at": MOMENT, "url": TEXT},
                country=TEXT,
                language=TEXT,
            )
        ),
        "countries": map_of(COUNT),
        "languages": map_of(COUNT),
        "missing": list_of(TEXT),
        "left_out": COUNT,
    }
)


def count_bytes(result: Body) -> int:
    """Return the length of a result as JSON in UTF-8."""
    return len(to_json(result))


def build_search_result(body: Body, max_bytes: int) -> Body:
    """The result of `search`, from the body of GET /articles."""
    members = ("total", "page", "has_more", "complete", "origin", "fetched_at", "notice")
    frame = _pick(body, members) | {
        "sources": {name: _pick(one, REPORT_MEMBERS) for name, one in body["sources"].items()}
    }
    return _fit_articles(frame, body["articles"], max_bytes)


def build_archive_result(body: Body, max_bytes: int) -> Body:
    """The result of `archive_search`, from the body of GET /archive."""
    return _fit_articles(_pick(body, ("next_cursor",)), body["articles"], max_bytes)


def build_similar_result(body: Body, max_bytes: int) -> Body:
    """The result of `similar`, from the body of GET /articles/{id}/similar."""
    return _fit_articles({}, body["articles"], max_bytes)


def build_trend_result(body: Body, max_bytes: int) -> Body:
    """The result of `trending`, from the body of GET /trending."""
    searches = [_pick(one, ("query", "people", "reasons")) for one in body["searches"]]
    return _fit_entries({"window": body["window"]}, "searches", searches, max_bytes)


def build_story_result(article: Body, coverage: Body, max_bytes: int) -> Body:
    """The result of `story`, from the bodies of GET /articles/{id} and its coverage."""
    frame = _pick(article, ("id", "title", "url")) | {
        name: coverage[name] for name in ("countries", "languages", "missing")
    }
    members = ("publisher", "country", "language", "published_at", "url")
    reports = [_pick(one, members) for one in coverage["publishers"]]
    return _fit_entries(frame, "reports", reports, max_bytes)


def build_fetch_result(body: Body, offset: int, max_bytes: int) -> Body:
    """The result of `fetch`, from the body of GET /articles/{id}.

    Args:
        body: the article.
        offset: the characters of its text that the caller has already.
        max_bytes: of the result. `next_offset` says where the rest begins.
    """
    text = body["content"] or body["description"] or ""
    metadata = _pick(
        body, ("publisher", "source", "author", "section", "language", "published_at", "group_id")
    )
    result = _pick(body, ("id", "title", "url")) | {"text": "", "metadata": metadata}
    rest = text[offset:]
    room = max_bytes - count_bytes(result | {"next_offset": len(text)})
    shown = _cut_to_bytes(rest, max(room, 0))
    result["text"] = shown
    return result if len(shown) == len(rest) else result | {"next_offset": offset + len(shown)}


def _cut_to_bytes(text: str, room: int) -> str:
    """Return the longest beginning of a text that has at most `room` bytes inside a JSON string.

    It has at least one character, so that a caller who asks for the rest always gets on.
    """
    low, high = min(1, len(text)), len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(to_json(text[:middle])) - 2 <= room else (low, middle - 1)
    return text[:low]


def _fit_articles(frame: Body, articles: Sequence[Body], max_bytes: int) -> Body:
    """Return a list of articles with the longest descriptions that fit."""
    for chars in DESCRIPTION_CHARS:
        result = frame | {"results": [_shorten(one, chars) for one in articles], "left_out": 0}
        if count_bytes(result) <= max_bytes:
            return result
    return _fit_entries(frame, "results", result["results"], max_bytes)


def _fit_entries(frame: Body, name: str, entries: Sequence[Body], max_bytes: int) -> Body:
    """Return the first entries that fit. The frame alone may be longer than `max_bytes`."""
    room = max_bytes - count_bytes(frame | {name: [], "left_out": len(entries)})
    kept = 0
    for entry in entries:
        room -= count_bytes(entry) + 1
        if room < 0:
            break
        kept += 1
    return frame | {name: [*entries[:kept]], "left_out": len(entries) - kept}


def _shorten(article: Body, chars: int) -> Body:
    """Return what a result shows of an article."""
    shown = _pick(article, ARTICLE_MEMBERS)
    text = article.get("description") or ""
    if chars and text:
        shown["description"] = text if len(text) <= chars else f"{text[: chars - 1]}\u2026"
    if article.get("duplicates"):
        shown["also_reported_by"] = [
            *dict.fromkeys(one["publisher"] for one in article["duplicates"])
        ]
    reasons = article.get("reasons")
    return shown | {"reasons": [reasons["text"]]} if reasons else shown


def _pick(body: Mapping[str, Any], members: Sequence[str]) -> Body:
    """Return these members without those that are absent or null."""
    return {name: body[name] for name in members if body.get(name) is not None}
