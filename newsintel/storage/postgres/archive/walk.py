"""Finds the newest (or oldest) matches of a condition on words, through time in windows: each as wide as the last ones say.

The first window holds some 2,000 articles, whatever they say. A common word has its matches there; for another one the windows widen, up to
16 times at each step, so the whole archive is behind us after a handful of queries. A window costs little more than its matches do.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from asyncpg import Record
from attrs import frozen

from newsintel.storage.postgres.archive.tags import TAGS, cover, slot
from newsintel.storage.postgres.pool import Connection

FIRST_ROWS = 2_000
"""Articles in the first window, matching or not. For a word in every fourth of them that is as many matches as are ranked."""

MOST_WIDENING = 16
"""From a window to the next. One without a match says little: 16 times as much of the same would hold a handful."""

MARGIN = 1.2
"""How much wider than the last windows ask for: what is missing after one costs another query, half a millisecond at least."""

# The archive's first and last moments, and the one that FIRST_ROWS articles further on, back from $2 or onward from $1, has.
PLAN = """
SELECT (SELECT min(published_at) FROM articles), (SELECT max(published_at) FROM articles), (
    SELECT published_at FROM articles
    WHERE ($1::timestamptz IS NULL OR published_at >= $1) AND ($2::timestamptz IS NULL OR published_at <= $2)
    ORDER BY published_at {direction} OFFSET $3 LIMIT 1
)
"""


@frozen
class Span:
    """A stretch of time, both ends included; None = as far as the archive goes."""

    start: datetime | None
    end: datetime | None


def window_sql(condition: str, number: int, columns: str, tail: str) -> str:
    """A query over one window, whose tags are the parameter after the first `number`. `tail` orders, groups or cuts what it finds.

    It is set apart so that an order and a limit do not tempt the planner to go through the whole archive in that order instead.
    """
    inside = f"{TAGS} && ${number + 1}::text[]"
    return f"WITH found AS MATERIALIZED (SELECT {columns} FROM articles WHERE {condition} AND {inside}) {tail}"


async def walk(
    connection: Connection,
    sql: str,
    values: Sequence[object],
    span: Span,
    wanted: int,
    *,
    newest_first: bool = True,
    weigh: Callable[[Sequence[Any]], int] = len,
) -> list[Record]:
    """The rows of `walk_until`, wherever it ended."""
    rows, _ = await walk_until(connection, sql, values, span, wanted, newest_first=newest_first, weigh=weigh)
    return rows


async def walk_until(
    connection: Connection,
    sql: str,
    values: Sequence[object],
    span: Span,
    wanted: int,
    *,
    newest_first: bool = True,
    weigh: Callable[[Sequence[Any]], int] = len,
) -> tuple[list[Record], bool]:
    """The rows of window after window, until `wanted` matches are found or the span ends; the last window may bring more.

    Args:
        connection: to ask on.
        sql: from `window_sql`.
        values: its parameters but for the tags.
        span: where to look.
        wanted: how many matches are enough.
        newest_first: from the end back, or else from the start on.
        weigh: how many matches a window's rows stand for.

    Returns:
        The rows, and whether the span ended: else there may be more.
    """
    low, high, width = await _plan(connection, span, newest_first=newest_first)
    rows: list[Record] = []
    found = passed = 0
    while low < high and found < wanted:
        near, far = (max(low, high - width), high) if newest_first else (low, min(high, low + width))
        fresh = await connection.fetch(sql, *values, list(cover(near, far)))
        rows += fresh
        found += weigh(fresh)
        passed += far - near
        low, high = (low, near) if newest_first else (far, high)
        width = _next_width(width, passed, found, wanted)
    return rows, low >= high


def _next_width(width: int, passed: int, found: int, wanted: int) -> int:
    """How many slots the next window should have for what is still missing, if matches go on as they came."""
    needed = passed * (wanted - found) * MARGIN / max(found, 1)
    return max(1, min(width * MOST_WIDENING, round(needed)))


async def _plan(connection: Connection, span: Span, *, newest_first: bool) -> tuple[int, int, int]:
    """The slots to go through, from and up to (not included), and how many of them make the first window."""
    sql = PLAN.format(direction="DESC" if newest_first else "ASC")
    oldest, newest, turn = await connection.fetchrow(sql, span.start, span.end, FIRST_ROWS)
    if oldest is None:
        return 0, 0, 0
    low, high = slot(max(span.start or oldest, oldest)), slot(min(span.end or newest, newest)) + 1
    if turn is None:
        return low, high, max(high - low, 1)
    return low, high, max(high - slot(turn) if newest_first else slot(turn) - low + 1, 1)
