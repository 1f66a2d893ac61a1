"""Loads recorded responses as a corpus.

The folder has `newsapi/*.json`, `guardian/*.json` and `reddit/*.json`. Every row of every recorded
body is unchanged, including its dates; only the search over the rows is ours. Files that are not
such a body are skipped, because folders of recordings have other files too.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from newsintel.demo.documents import Corpus, Document, parse_time
from newsintel.errors import NewsIntelError


class ReplayError(NewsIntelError):
    """The folder has no recorded response. The message names it in one line."""


def load_recordings(folder: Path) -> Corpus:
    """Load every recorded row of a folder.

    Raises:
        ReplayError: the folder does not exist or has no row.
    """
    found = {name: tuple(_read_documents(folder / name, read)) for name, read in _READERS.items()}
    if not any(found.values()):
        wanted = ", ".join(f"{name}/*.json" for name in _READERS)
        raise ReplayError(f"{folder} has no recorded responses: none of {wanted} holds an article")
    return Corpus(**found)


def _read_documents(folder: Path, read: Callable[[Any], Iterator[Document]]) -> Iterator[Document]:
    for path in sorted(folder.glob("*.json")):
        try:
            body = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            continue
        yield from read(body)


def _read_newsapi(body: Any) -> Iterator[Document]:
    """Read a body, or its array of articles alone."""
    rows = body.get("articles") if isinstance(body, dict) else body
    for row in _list_objects(rows):
        if "publishedAt" in row:
            fields = {name: _text(row.get(name)) for name in ("title", "description", "content")}
            yield Document.of(row, fields, _parse_date(row["publishedAt"]))


def _read_guardian(body: Any) -> Iterator[Document]:
    response = body.get("response") if isinstance(body, dict) else None
    for row in _list_objects(response.get("results") if isinstance(response, dict) else None):
        if "webTitle" in row:
            fields = row["fields"] if isinstance(row.get("fields"), dict) else {}
            text = {name: _text(fields.get(name)) for name in ("trailText", "body", "byline")}
            yield Document.of(
                row,
                {"webTitle": _text(row["webTitle"]), **text},
                _parse_date(row.get("webPublicationDate")),
            )


def _read_reddit(body: Any) -> Iterator[Document]:
    """Read a Listing, or an array of Listings as `/duplicates` answers."""
    for listing in _list_objects(body if isinstance(body, list) else [body]):
        data = listing.get("data")
        for row in _list_objects(data.get("children") if isinstance(data, dict) else None):
            post = row.get("data")
            if row.get("kind") == "t3" and isinstance(post, dict):
                text = {
                    "title": "title",
                    "selftext": "selftext",
                    "flair": "link_flair_text",
                    "subreddit": "subreddit",
                }
                at = _parse_timestamp(post.get("created_utc"))
                yield Document.of(
                    row,
                    {name: _text(post.get(key)) for name, key in text.items()},
                    at,
                    _number(post.get("score")),
                )


_READERS: Mapping[str, Callable[[Any], Iterator[Document]]] = {
    "newsapi": _read_newsapi,
    "guardian": _read_guardian,
    "reddit": _read_reddit,
}


def _list_objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _parse_timestamp(value: Any) -> datetime:
    """Return recorded seconds as a date; 1970 if they are invalid."""
    try:
        return datetime.fromtimestamp(_number(value), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, tz=UTC)


def _parse_date(value: Any) -> datetime:
    """Return a recorded date; 1970 if it is invalid, so that the row sorts last."""
    return parse_time(_text(value)) or datetime.fromtimestamp(0, tz=UTC)
