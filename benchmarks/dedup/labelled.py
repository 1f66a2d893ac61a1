"""Reads labelled headlines: pairs, or clusters.

A file is CSV (`.csv`), TSV (any other ending) or lines of JSON objects (`.jsonl`). Its columns say
what it is; further columns are ignored:

- pairs: `title1`, `title2`, and either `label` or `score_0_5`. A label is one of SAME or OTHER, in
  any case. A score of 4 or more is the same story, one below 3 another; pairs between are dropped.
- clusters: `title`, `cluster` (equal for one story), and if known `publisher`, `url` and `at`
  (RFC 3339, or milliseconds since 1970). The names of the UCI News Aggregator (`TITLE`, `STORY`,
  `PUBLISHER`, `URL`, `TIMESTAMP`) are accepted too.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve, frozen

SAME = frozenset({"1", "same", "ok", "true", "yes"})
OTHER = frozenset({"0", "other", "bad", "false", "no", "different"})

_MIN_SAME, _MIN_BETWEEN = 4.0, 3.0
"""STS scores: from 4 on "mostly equivalent", below 3 "some important information differs" (Agirre
and others, SemEval 2012)."""

_UCI = {"title": "TITLE", "cluster": "STORY", "publisher": "PUBLISHER", "url": "URL"}


@frozen
class LabelledPair:
    """Two titles and whether they tell one story."""

    one: str
    other: str
    same: bool


@frozen
class LabelledTitle:
    """A title and its story."""

    title: str
    cluster: str
    publisher: str = ""
    url: str = ""
    at: datetime | None = None


@frozen
class Labelled:
    """The content of a file: pairs or titles, not both."""

    pairs: tuple[LabelledPair, ...] = ()
    titles: tuple[LabelledTitle, ...] = ()


def read_labelled(path: Path, where: Mapping[str, str] | None = None) -> Labelled:
    """Read a file.

    Args:
        path: of the file.
        where: the value that a column must have; other rows are skipped.

    Raises:
        ValueError: a row lacks a column, or its label is unknown.
    """
    wanted = (where or {}).items()
    rows = [row for row in _read_rows(path) if all(row.get(key) == it for key, it in wanted)]
    if not rows:
        raise ValueError(f"{path} has no such rows")
    if "title1" in rows[0]:
        pairs = (_read_pair(path, number, row) for number, row in enumerate(rows, 2))
        return Labelled(pairs=tuple(pair for pair in pairs if pair is not None))
    return Labelled(titles=tuple(_read_title(path, row) for row in rows))


def join_clusters(titles: Iterable[LabelledTitle], path: Path) -> tuple[LabelledTitle, ...]:
    """Give one name to clusters that are one story: a JSON list of lists of their names."""
    first = {name: names[0] for names in json.loads(path.read_text("utf-8")) for name in names}
    return tuple(evolve(it, cluster=first.get(it.cluster, it.cluster)) for it in titles)


def _read_rows(path: Path) -> Iterator[Mapping[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            yield from (json.loads(line) for line in file if line.strip())
        elif path.suffix == ".csv":
            yield from csv.DictReader(file)
        else:
            yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def _read_pair(path: Path, number: int, row: Mapping[str, str]) -> LabelledPair | None:
    if "score_0_5" in row:
        score = float(row["score_0_5"])
        if _MIN_BETWEEN <= score < _MIN_SAME:
            return None
        return LabelledPair(row["title1"], row["title2"], score >= _MIN_SAME)
    label = str(row.get("label", "")).lower()
    if label not in SAME | OTHER:
        raise ValueError(f"{path}, line {number}: the label is none of {sorted(SAME | OTHER)}")
    return LabelledPair(row["title1"], row["title2"], label in SAME)


def _read_title(path: Path, row: Mapping[str, str]) -> LabelledTitle:
    found = {name: row.get(name) or row.get(uci) or "" for name, uci in _UCI.items()}
    if not found["title"] or not found["cluster"]:
        raise ValueError(f"{path}: its columns are neither those of pairs nor those of clusters")
    return LabelledTitle(**found, at=_read_time(row.get("at") or row.get("TIMESTAMP") or ""))


def _read_time(text: str) -> datetime | None:
    if not text:
        return None
    if text.isdigit():
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    return datetime.fromisoformat(text)
