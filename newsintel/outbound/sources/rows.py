"""Rows of a payload as articles, one by one: a bad row costs itself, and is counted by reason."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Article
from newsintel.domain.search.outcome import Page
from newsintel.domain.search.query_model import Query
from newsintel.domain.text.clean import plain
from newsintel.domain.text.urls import usable

MAX_ROWS = 100
"""Rows used of one payload: the largest page that any source is asked for (contract; reliability list, 19)."""

_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)  # before the web; absurd dates are 1970 (NewsAPI's removed rows) and year 1

_FUTURE = timedelta(hours=24)  # reliability list, 37

Row = Mapping[str, Any]


def page(
    rows: Sequence[Any], read: Callable[[Row], Sliced[Article | str]], query: Query, *, http_status: int, pause_s: float = 0.0
) -> Sliced[Page]:
    """Read every row. A bug in reading one costs that row, and the page tells of it.

    Args:
        rows: as they stand in the payload.
        read: an article, or the reason for which there is none. It pauses between long texts, so that a row may be of many.
        query: what was asked; rows outside its dates, or in a known other language, are dropped.
        http_status: of the response.
        pause_s: seconds for which the source wants to be left alone.
    """
    articles: list[Article] = []
    dropped: Counter[str] = Counter()
    bug: Exception | None = None
    for row in rows[:MAX_ROWS]:
        yield
        try:
            article = (yield from read(row)) if isinstance(row, dict) else "not_an_object"
        except Exception as error:  # noqa: BLE001 - a bug costs what it belongs to, as in the fetcher, which logs this one
            article, bug = "bug", bug or error
        reason = article if isinstance(article, str) else _unasked(article, query)
        if reason is None and isinstance(article, Article):
            articles.append(article)
        else:
            dropped[str(reason)] += 1
    if len(rows) > MAX_ROWS:
        dropped["beyond_limit"] = len(rows) - MAX_ROWS
    return Page(tuple(articles), len(rows), dict(dropped), http_status, pause_s, bug)


def _unasked(article: Article, query: Query) -> str | None:
    """Why an article does not belong in the answer, or None. An estimated date says nothing, so it never excludes."""
    if query.language and article.language and article.language != query.language:
        return "other_language"
    early = query.start is not None and article.published_at < query.start
    late = query.end is not None and article.published_at > query.end
    return "out_of_range" if (early or late) and not article.published_at_estimated else None


def text(row: Row, name: str, max_chars: int, read: Callable[[str], str] | None = None) -> str | None:
    """A field as plain text; None if it is absent, blank or of another type. `read` is for its markup; without it, it has none."""
    value = row.get(name)
    return plain(value, max_chars, read) if isinstance(value, str) else None


def address(row: Row, name: str) -> str | None:
    """A field as a URL fit for a browser; None if it is not one."""
    value = row.get(name)
    return usable(value) if isinstance(value, str) else None


def members(row: Row, name: str) -> Row:
    """A field that is an object; an empty one if it is not."""
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def number(row: Row, name: str) -> int:
    """A field as a count that fits the archive's 32-bit column; 0 if it is not a number."""
    value = row.get(name)
    # JSON knows no infinity, but 1e999 reads as one: compare before converting.
    return int(min(max(value, 0), 2**31 - 1)) if isinstance(value, (int, float)) else 0


def moment(value: object, now: datetime) -> tuple[datetime, bool]:
    """A date as an upstream writes it: ISO 8601 text (without zone: UTC) or seconds since 1970.

    Returns:
        The moment in UTC, and whether `now` stands in because it is missing, unreadable, before 1990 or over 24 hours ahead.
    """
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
            found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        elif isinstance(value, (int, float)):
            found = datetime.fromtimestamp(value, UTC)
        else:
            return now, True
    except (ValueError, OverflowError, OSError):
        return now, True
    return (found, False) if _OLDEST <= found <= now + _FUTURE else (now, True)
