"""Reads JSON Feed 1.0 and 1.1 (jsonfeed.org) as rows."""

from typing import Any

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.outcome import Refusal
from newsintel.outbound.sources.feeds.bases import resolve
from newsintel.outbound.sources.feeds.rows import FeedRows, Row
from newsintel.outbound.sources.payload import read_json_object
from newsintel.outbound.sources.source import Response

VERSION = "https://jsonfeed.org/version/1"


def read_json_feed(response: Response, address: str) -> Sliced[FeedRows | str]:
    """Return the rows of a feed, or what it is instead."""
    found = yield from read_json_object(response)
    if isinstance(found, Refusal):
        return found.detail
    items = found.get("items")
    if VERSION not in _text(found, "version").replace("http:", "https:") or (
        not isinstance(items, list)
    ):
        return "JSON, but not a JSON Feed"
    rows = []
    for item in items:
        if isinstance(item, dict):
            rows.append(_read_item(item, address))
            yield
    return FeedRows(
        tuple(rows),
        ("text", _text(found, "title")),
        _text(found, "home_page_url"),
        _text(found, "language"),
    )


def _read_item(item: dict[str, Any], address: str) -> Row:
    link = _text(item, "url") or _text(item, "external_url") or _text(item, "id")
    full_text = _text(item, "content_text")
    return {
        "title": ("text", _text(item, "title")),
        "link": resolve(address, link) if link else "",
        "id": _text(item, "id"),
        "published": _text(item, "date_published") or _text(item, "date_modified"),
        "summary": ("text", _text(item, "summary")),
        "full_text": ("text", full_text) if full_text else ("html", _text(item, "content_html")),
        "author": _find_author(item),
        "language": _text(item, "language"),
    }


def _find_author(item: dict[str, Any]) -> str:
    """Return the first author's name: 1.1 has a list, 1.0 has one."""
    listed = item.get("authors")
    authors = [*(listed if isinstance(listed, list) else ()), item.get("author")]
    return next(filter(None, (_text(one, "name") for one in authors if isinstance(one, dict))), "")


def _text(node: dict[str, Any], name: str) -> str:
    """Return a member as text. Some feeds have numbers as ids."""
    value = node.get(name)
    if isinstance(value, bool):
        return ""
    return str(value).strip() if isinstance(value, str | int) else ""
