"""The Trending port: lists that are made in advance from the counts of a few days.

So reading a list costs the same, however long the history is.

A person counts once in a UTC day, and the floor applies to the people of one day: the days of a
window are added up only if each of them reaches the floor by itself. So a person who repeats a
search, before and after midnight or day after day, cannot lift a query over the floor.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from newsintel.domain.intelligence.search_counts import (
    OPEN_DAYS,
    RETENTION_DAYS,
    ObservedQuery,
    Trend,
    TrendWindow,
)
from newsintel.storage.postgres.pool import Connection, Postgres

FRESH_FOR = timedelta(seconds=7)
"""A list is not made again within this time, however many processes try. It is shorter than an
actor's pause, so that a single process never skips its own turn.
"""

MOST_OBSERVED = 1_000
"""Queries of a window that are ranked, those with most people first. No other query has more people
than any of these thousand.
"""

# A list from the future was made before the clock was corrected.
DUE = """
INSERT INTO trending_made AS made (span, at) VALUES ($1, $2)
ON CONFLICT (span) DO UPDATE SET at = excluded.at
WHERE made.at <= excluded.at - $3::interval OR made.at > excluded.at
RETURNING 1
"""

# In a window of days, open days are counted by their marks, closed days by their stored counts. A
# shorter window lies within the open days.
OPEN_PARTS = """
SELECT query, count(*) AS people FROM search_marks
WHERE seen > $1::timestamptz AND day >= $2::date GROUP BY query, day HAVING count(*) >= $3
"""
CLOSED_PARTS = """
SELECT query, people FROM search_days
WHERE day >= $1::timestamptz::date AND day < $2::date AND people >= $3
"""
PEOPLE = """
SELECT query, sum(people)::integer AS people FROM ({parts}) AS parts
GROUP BY query ORDER BY people DESC, query LIMIT $4
"""
OBSERVED = {
    TrendWindow.HOUR: PEOPLE.format(parts=OPEN_PARTS),
    TrendWindow.DAY: PEOPLE.format(parts=OPEN_PARTS),
    TrendWindow.WEEK: PEOPLE.format(parts=f"{OPEN_PARTS} UNION ALL {CLOSED_PARTS}"),
}

# The number of the baseline's days since the first day with counts.
COVERED = """
SELECT $2::date - greatest($1::date, min(day)) + 1 FROM search_days
WHERE day <= $2::date HAVING min(day) IS NOT NULL
"""
BEFORE = """
SELECT query, sum(people)::integer AS people FROM search_days
WHERE day BETWEEN $1 AND $2 AND people >= $3 AND query = ANY($4::text[]) GROUP BY query
"""

CLEAR = "DELETE FROM trending WHERE span = $1"
WRITE = """
INSERT INTO trending (span, query, people, usual, score)
SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::double precision[], $5::double precision[])
"""
TOP = """
SELECT query, people, usual, score FROM trending
WHERE span = $1 AND people >= $2 ORDER BY score DESC, people DESC, query LIMIT $3
"""


class PostgresTrending:
    """Makes and reads the lists. Every method is one unit of work, safe to repeat."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def rebuild_list(
        self,
        span: TrendWindow,
        now: datetime,
        floor: int,
        rank: Callable[[Sequence[ObservedQuery]], Sequence[Trend]],
    ) -> bool:
        return await self._postgres.run(_refresh, span, now, floor, rank)

    async def list_top(self, span: TrendWindow, floor: int, limit: int) -> Sequence[Trend]:
        return await self._postgres.run(_list_top, span, floor, limit)


async def _refresh(
    connection: Connection,
    span: TrendWindow,
    now: datetime,
    floor: int,
    rank: Callable[[Sequence[ObservedQuery]], Sequence[Trend]],
) -> bool:
    """Make a list in one transaction.

    The transaction locks the list's row: deleting a person's marks waits until the list is written
    (`search_marks`).
    """
    async with connection.transaction():
        if not await connection.fetch(DUE, span, now, FRESH_FOR):
            return False
        opened = now.date() - timedelta(days=OPEN_DAYS - 1)
        start = (
            now - span.length
            if span is not TrendWindow.WEEK
            else _start_of_day(now) - timedelta(days=6)
        )
        people = {
            row["query"]: row["people"]
            for row in await connection.fetch(OBSERVED[span], start, opened, floor, MOST_OBSERVED)
        }
        usual = await _read_baseline(connection, span, now, floor, list(people))
        observed = [
            ObservedQuery(query, count, None if usual is None else usual.get(query, 0.0))
            for query, count in people.items()
        ]
        trends = rank(observed)
        await connection.execute(CLEAR, span)
        columns = [
            [getattr(trend, name) for trend in trends]
            for name in ("query", "people", "usual", "score")
        ]
        await connection.execute(WRITE, span, *columns)
    return True


async def _read_baseline(
    connection: Connection, span: TrendWindow, now: datetime, floor: int, queries: list[str]
) -> dict[str, float] | None:
    """Return how many people usually search for each query in a window of this length.

    The baseline is the week of closed days before. The result is None if there are no closed days
    yet.
    """
    last = now.date() - timedelta(days=7 if span is TrendWindow.WEEK else OPEN_DAYS)
    first = max(last - timedelta(days=6), now.date() - timedelta(days=RETENTION_DAYS - 1))
    covered = await connection.fetchval(COVERED, first, last)
    if not covered:
        return None
    windows = covered / (span.length / timedelta(days=1))
    return {
        row["query"]: row["people"] / windows
        for row in await connection.fetch(BEFORE, first, last, floor, queries)
    }


async def _list_top(
    connection: Connection, span: TrendWindow, floor: int, limit: int
) -> list[Trend]:
    return [Trend(*row) for row in await connection.fetch(TOP, span, floor, limit)]


def _start_of_day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
