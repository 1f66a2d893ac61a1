"""Finds the newest (or oldest) matches of a condition on words.

It reads windows of time one after the other.

The first window holds about 2,000 articles, matching or not. A common word has enough matches
there. For a rarer word each window is up to 16 times as wide as the one before, so a few queries
cover the whole archive. The cost of a window is little more than that of its matches.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from asyncpg import Record
from attrs import frozen

from newsintel.storage.postgres.archive.tags import TAGS, compute_slot, cover_slots
from newsintel.storage.postgres.pool import Connection

FIRST_ROWS = 2_000
"""Articles in the first window, matching or not. If every fourth contains the word, these are as
many matches as are ranked.
"""

MOST_WIDENING = 16
"""Largest factor between two windows. A window without a match says little: 16 times as many
articles might hold a few matches.
"""

MARGIN = 1.2
"""Factor on the estimated width of the next window: if it finds too few, another query costs at
least half a millisecond.
"""

# The times of the archive's oldest and newest article, and of the article that is FIRST_ROWS after
# the start of the walk (back from $2, or onward from $1).
PLAN = """
SELECT (SELECT min(published_at) FROM articles), (SELECT max(published_at) FROM articles), (
    SELECT published_at FROM articles
    WHERE ($1::timestamptz IS NULL OR published_at >= $1)
      AND ($2::timestamptz IS NULL OR published_at <= $2)
    ORDER BY published_at {direction} OFFSET $3 LIMIT 1
)
"""


@frozen
class TimeRange:
    """A time range with both ends included; None is the archive's end."""

    start: datetime | None
    end: datetime | None


def window_sql(condition: str, number: int, columns: str, tail: str) -> str:
    """Return a query over one window.

    The window's tags are the parameter `number + 1`; `tail` orders, groups or limits the matches.

    The search for matches is a materialized CTE. Otherwise, with an order and a limit, the planner
    might read the whole archive in that order.
    """
    inside = f"{TAGS} && ${number + 1}::text[]"
    return (
        "WITH found AS MATERIALIZED "
        f"(SELECT {columns} FROM articles WHERE {condition} AND {inside}) {tail}"
    )


async def walk_rows(
    connection: Connection,
    sql: str,
    values: Sequence[object],
    span: TimeRange,
    wanted: int,
    *,
    newest_first: bool = True,
    weigh: Callable[[Sequence[Any]], int] = len,
) -> list[Record]:
    """Return only the rows of `walk_until`."""
    rows, _ = await walk_until(
        connection, sql, values, span, wanted, newest_first=newest_first, weigh=weigh
    )
    return rows


async def walk_until(
    connection: Connection,
    sql: str,
    values: Sequence[object],
    span: TimeRange,
    wanted: int,
    *,
    newest_first: bool = True,
    weigh: Callable[[Sequence[Any]], int] = len,
) -> tuple[list[Record], bool]:
    """Read window after window until `wanted` matches are found or the span ends.

    The result may have more than `wanted` matches, because the last window is returned whole.

    Args:
        connection: the connection for the queries.
        sql: a query from `window_sql`.
        values: its parameters without the tags.
        span: the time range to search.
        wanted: how many matches are enough.
        newest_first: walk back from the end; else walk forward from the start.
        weigh: returns how many matches a window's rows count for.

    Returns:
        The rows, and whether the whole span was read: if not, there may be more matches.
    """
    low, high, width = await _plan(connection, span, newest_first=newest_first)
    rows: list[Record] = []
    found = passed = 0
    while low < high and found < wanted:
        near, far = (
            (max(low, high - width), high) if newest_first else (low, min(high, low + width))
        )
        fresh = await connection.fetch(sql, *values, list(cover_slots(near, far)))
        rows += fresh
        found += weigh(fresh)
        passed += far - near
        low, high = (low, near) if newest_first else (far, high)
        width = _next_width(width, passed, found, wanted)
    return rows, low >= high


def _next_width(width: int, passed: int, found: int, wanted: int) -> int:
    """Return the next window's width in slots, for matches as frequent as before."""
    needed = passed * (wanted - found) * MARGIN / max(found, 1)
    return max(1, min(width * MOST_WIDENING, round(needed)))


async def _plan(
    connection: Connection, span: TimeRange, *, newest_first: bool
) -> tuple[int, int, int]:
    """Return the first slot, the slot after the last, and the first window's width in slots."""
    sql = PLAN.format(direction="DESC" if newest_first else "ASC")
    oldest, newest, turn = await connection.fetchrow(sql, span.start, span.end, FIRST_ROWS)
    if oldest is None:
        return 0, 0, 0
    low, high = (
        compute_slot(max(span.start or oldest, oldest)),
        compute_slot(min(span.end or newest, newest)) + 1,
    )
    if turn is None:
        return low, high, max(high - low, 1)
    return (
        low,
        high,
        max(high - compute_slot(turn) if newest_first else compute_slot(turn) - low + 1, 1),
    )
