"""Answers queries from recorded responses of the three sources, in an order that is not ours.

Where a recorded response answered the query itself, its source answers with exactly its rows, in
their recorded order. Any other list is found and ordered by SQLite's full-text index (FTS5, its
`bm25`, stems by Porter): all words must occur in the title, the summary or the body. Titles weigh
2. So the order that the score gets as evidence is of foreign origin.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import frozen

from newsintel.domain.search.article import Article
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.query_model import Query
from newsintel.outbound.sources import REGISTRY
from newsintel.outbound.sources.source import Response

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "recorded"

Row = Mapping[str, Any]

ANSWERED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "content creators": (("newsapi", "sovos15_creator_news"),),
    "debates": (("guardian", "makers__api"),),
    "finance": (("guardian", "jonathanpark03__guardian_p1"),),
    "headlines": (("guardian", "makers__lib_models_api_data"),),
    "npa": (("newsapi", "awasekhirni_npa"),),
    "putin": (("guardian", "arshavskiy_testing_gardian"),),
    "stock market": (("newsapi", "deadlymind_articles"),),
    "video streaming": (("newsapi", "sovos15_streaming_news"),),
}
"""The queries that a recorded response answers, and that response. All are ordered by relevance:
the Guardian says so, and the dates of NewsAPI's are not in order."""

_SIZES = {"newsapi": 100, "guardian": 50, "reddit": 100}
SOURCES = tuple(_SIZES)
AFTER_ALL = datetime(2026, 5, 1, tzinfo=UTC)
"""A time after every recording."""

_TAGS = re.compile(r"<[^>]*>")


@frozen
class Recordings:
    """Every recorded row, once, with a full-text index of all.

    Attributes:
        rows: by source, as the source sent them.
        files: the rows of each file, by source and name.
    """

    rows: Mapping[str, Sequence[Row]]
    files: Mapping[tuple[str, str], Sequence[Row]]
    _index: sqlite3.Connection

    def search(self, query: Query) -> tuple[FetchOutcome, ...]:
        """Return what each source answers to a query, as its adapter reads it."""
        recorded = dict(ANSWERED.get(query.text, ()))
        outcomes = []
        for source in query.sources:
            rows = (
                self.files[source, recorded[source]]
                if source in recorded
                else [self.rows[source][number] for number in self._find(source, query.text)]
            )
            articles = _read(source, rows[: _SIZES[source]], query)
            outcomes.append(FetchOutcome(source, Status.OK, AFTER_ALL, articles, len(rows)))
        return tuple(outcomes)

    def _find(self, source: str, text: str) -> list[int]:
        words = " AND ".join(f'"{word}"' for word in re.findall(r"\w+", text))
        return [
            number
            for (number,) in self._index.execute(
                "SELECT number FROM rows WHERE rows MATCH ? AND source = ?"
                " ORDER BY bm25(rows, 0, 0, 2, 1), number",
                (words, source),
            )
        ]


def load_recordings() -> Recordings | None:
    """Load all recorded bodies; None if they are not beside this checkout."""
    if not RECORDED.is_dir():
        return None
    files = {
        (source, path.stem): rows
        for source in _SIZES
        for path in sorted((RECORDED / source).glob("*.json"))
        if (rows := list(_list_rows(source, json.loads(path.read_bytes()))))
    }
    index = sqlite3.connect(":memory:")
    index.execute(
        "CREATE VIRTUAL TABLE rows USING fts5"
        "(source UNINDEXED, number UNINDEXED, title, text, tokenize = 'porter unicode61')"
    )
    unique: dict[str, list[Row]] = {}
    for source in _SIZES:
        found = {
            _get_identity(source, row): row
            for (name, _), rows in files.items()
            if name == source
            for row in rows
        }
        unique[source] = list(found.values())
        index.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?)",
            [(source, n, *_get_texts(source, row)) for n, row in enumerate(unique[source])],
        )
    return Recordings(unique, files, index)


def _list_rows(source: str, body: Any) -> Iterator[Row]:
    """Yield the rows of a body, of an array of bodies, or of the array of articles alone."""
    if source == "newsapi":
        yield from (body if isinstance(body, list) else body.get("articles", ()))
    elif source == "guardian":
        yield from body.get("response", {}).get("results", ())
    else:
        for listing in body if isinstance(body, list) else [body]:
            yield from (row for row in listing["data"]["children"] if row["kind"] == "t3")


def _read(source: str, rows: Sequence[Row], query: Query) -> tuple[Article, ...]:
    body: Mapping[str, Any] = {
        "newsapi": {"status": "ok", "articles": rows},
        "guardian": {"response": {"status": "ok", "results": rows}},
        "reddit": {"kind": "Listing", "data": {"children": rows}},
    }[source]
    reply = Response(200, {"content-type": "application/json"}, json.dumps(body).encode())
    return REGISTRY[source].read(reply, query, AFTER_ALL).articles  # type: ignore[union-attr]


def _get_identity(source: str, row: Row) -> str:
    return {
        "newsapi": lambda: row["url"],
        "guardian": lambda: row["id"],
        "reddit": lambda: row["data"]["name"],
    }[source]()


def _get_texts(source: str, row: Row) -> tuple[str, str]:
    """Return a row's title, and all its other text."""
    if source == "newsapi":
        return row["title"] or "", _join(row, "description", "content")
    if source == "reddit":
        return row["data"]["title"], _join(row["data"], "selftext")
    return row["webTitle"], _join(row.get("fields", {}), "trailText", "body")


def _join(row: Row, *names: str) -> str:
    return _TAGS.sub(" ", " ".join(row.get(name) or "" for name in names))
