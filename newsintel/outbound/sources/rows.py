"""Reads the rows of a payload as articles. A bad row is skipped and counted by its reason."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.article import Article
from newsintel.domain.search.outcome import SourcePage
from newsintel.domain.search.query_model import Query
from newsintel.domain.text.clean import to_plain_text
from newsintel.domain.text.moments import read_moment
from newsintel.domain.text.safe_urls import sanitize_url

MAX_ROWS = 100
"""Maximum rows used from one payload.

This is the largest page that we request of any source (contract; reliability list, 19).
"""

# Before the web. Recorded wrong dates are in 1970 (NewsAPI's removed rows) and in the year 1.
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)

_FUTURE = timedelta(hours=24)  # reliability list, 37

SourceRow = Mapping[str, Any]


def read_page(
    rows: Sequence[Any],
    read: Callable[[SourceRow], Sliced[Article | str]],
    query: Query,
    *,
    http_status: int,
    pause_s: float = 0.0,
) -> Sliced[SourcePage]:
    """Read every row. If our code raises for a row, that row is skipped and the page reports it.

    Args:
        rows: the rows as the payload has them.
        read: returns an article, or the reason why there is none. It pauses between long texts,
            since a row may have many.
        query: the query; rows outside its dates, or known to be in another language, are dropped.
        http_status: of the response.
        pause_s: seconds for which the source asks us to pause.
    """
    articles: list[Article] = []
    dropped: Counter[str] = Counter()
    bug: Exception | None = None
    for row in rows[:MAX_ROWS]:
        yield
        try:
            article = (yield from read(row)) if isinstance(row, dict) else "not_an_object"
        except Exception as error:  # noqa: BLE001 - a bug fails only its row; the fetcher logs it
            article, bug = "bug", bug or error
        reason = article if isinstance(article, str) else _find_mismatch(article, query)
        if reason is None and isinstance(article, Article):
            articles.append(article)
        else:
            dropped[str(reason)] += 1
    if len(rows) > MAX_ROWS:
        dropped["beyond_limit"] = len(rows) - MAX_ROWS
    return SourcePage(tuple(articles), len(rows), dict(dropped), http_status, pause_s, bug)


def _find_mismatch(article: Article, query: Query) -> str | None:
    """Return why an article does not match the query, or None.

    An estimated date never excludes an article.
    """
    if query.language and article.language and article.language != query.language:
        return "other_language"
    early = query.start is not None and article.published_at < query.start
    late = query.end is not None and article.published_at > query.end
    return "out_of_range" if (early or late) and not article.published_at_estimated else None


def read_text(
    row: SourceRow, name: str, max_chars: int, read: Callable[[str], str] | None = None
) -> str | None:
    """Return a field as plain text; None if it is absent, blank or not a string.

    `read` removes the field's markup; without it, the field is read as plain text.
    """
    value = row.get(name)
    return to_plain_text(value, max_chars, read) if isinstance(value, str) else None


def read_url(row: SourceRow, name: str) -> str | None:
    """Return a field as a URL that browsers can open; None if it is not one."""
    value = row.get(name)
    return sanitize_url(value) if isinstance(value, str) else None


def read_members(row: SourceRow, name: str) -> SourceRow:
    """Return a field that is an object; an empty object if it is not one."""
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def read_count(row: SourceRow, name: str) -> int:
    """Return a field as a count within the archive's 32-bit column; 0 if it is not a number."""
    value = row.get(name)
    # JSON has no infinity, but 1e999 is parsed as one, so limit the value before converting it.
    return int(min(max(value, 0), 2**31 - 1)) if isinstance(value, (int, float)) else 0


def read_date(value: object, now: datetime) -> tuple[datetime, bool]:
    """Read an upstream's date: ISO 8601 text (UTC if it has no zone) or seconds since 1970.

    Returns:
        The moment in UTC, and whether it is estimated: it is then `now`, because the date is
        missing, unreadable, before 1990 or more than 24 hours ahead.
    """
    try:
        if isinstance(value, str):
            found = read_moment(value.strip())
            found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        elif isinstance(value, (int, float)):
            found = datetime.fromtimestamp(value, UTC)
        else:
            return now, True
    except (ValueError, OverflowError, OSError):
        return now, True
    return (found, False) if _OLDEST <= found <= now + _FUTURE else (now, True)
