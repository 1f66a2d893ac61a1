"""The SearchMarks port: counts of people's searches by day.

The counts of open days are always computed from the marks. So deleting a person's marks removes the
person from these counts.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from newsintel.domain.bounds.chunks import cut_into_chunks
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.intelligence.marks import order_pair
from newsintel.domain.intelligence.search_counts import (
    OPEN_DAYS,
    RETENTION_DAYS,
    MarkedSearch,
    MarksFinder,
)
from newsintel.runtime.heartbeats import beat
from newsintel.storage.loop_turns import run_in_loop_turns
from newsintel.storage.postgres.pieces import delete_in_pieces
from newsintel.storage.postgres.pool import Connection, Postgres

# A lock as in history.RECORD: a concurrent deletion or clearing waits for this transaction, or this
# transaction waits for it.
OWNERS = """
SELECT id, history_cleared_at FROM users WHERE id = ANY($1::bigint[]) ORDER BY id FOR SHARE
"""

# The statements insert rows in the order of their keys, so that two processes that add the same
# rows cannot deadlock. If a person repeats a search, `seen` moves forward for the window of an
# hour, but at most every five minutes: a polling program causes no write each time.
MARKS = """
INSERT INTO search_marks AS kept (query, day, mark, seen)
SELECT * FROM unnest($1::text[], $2::date[], $3::bytea[], $4::timestamptz[]) ORDER BY 1, 2, 3
ON CONFLICT (query, day, mark) DO UPDATE SET seen = excluded.seen
WHERE excluded.seen > kept.seen + interval '5 minutes'
"""
# A pair is added only if both its queries are still counted. One of them may have been cleared, and
# other processes may not know this yet.
PAIRS = """
INSERT INTO pair_marks (low, high, day, mark)
SELECT low, high, day, pair_mark
FROM unnest($1::text[], $2::text[], $3::date[], $4::bytea[], $5::text[], $6::bytea[])
    AS row (low, high, day, pair_mark, other, other_mark)
WHERE EXISTS (
    SELECT FROM search_marks
    WHERE query = other AND search_marks.day = row.day AND mark = other_mark
)
ORDER BY 1, 2, 3, 4 ON CONFLICT DO NOTHING
"""
ANSWERS = """
INSERT INTO search_answers AS kept (query, articles, seen)
SELECT query, string_to_array(articles, ' '), seen
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS row (query, articles, seen)
ORDER BY query
ON CONFLICT (query) DO UPDATE SET articles = excluded.articles, seen = excluded.seen
WHERE excluded.seen > kept.seen + interval '1 hour'
"""

OPEN = """
SELECT DISTINCT query, day FROM search_marks
WHERE (query, day) > ($1::text, $2::date) ORDER BY query, day LIMIT $3
"""
OPEN_ROWS = 2_000
"""Queries that are checked at once: about 4 ms of HMACs, during which nothing else in the process
runs.
"""
FIND = """
SELECT query, day, mark FROM search_marks
JOIN unnest($1::text[], $2::date[], $3::bytea[]) AS row (query, day, mark) USING (query, day, mark)
"""
# A process that builds a list now may have counted the marks that will be deleted. So this waits
# until the list is written, and then deletes the queries from it.
HOLD_LISTS = "SELECT FROM trending_made ORDER BY span FOR UPDATE"
TAKE = """
DELETE FROM search_marks USING unnest($1::text[], $2::date[], $3::bytea[]) AS row (query, day, mark)
WHERE search_marks.query = row.query AND search_marks.day = row.day AND search_marks.mark = row.mark
"""
PAIRS_FROM = """
SELECT DISTINCT low, high FROM pair_marks
WHERE low = ANY($2::text[]) AND day = $1 AND (low, high) > ($3::text, $4::text)
ORDER BY low, high LIMIT $5
"""
PAIR_ROWS, LOW_ROWS = 2_000, 200
"""Pairs that one unit of work reads, and queries whose pairs it looks for. A program that searches
all day makes hundreds of thousands of pairs, some eight for each query."""

TAKE_PAIRS = """
DELETE FROM pair_marks USING unnest($2::text[], $3::text[], $4::bytea[]) AS row (low, high, mark)
WHERE pair_marks.low = row.low AND pair_marks.high = row.high AND day = $1
    AND pair_marks.mark = row.mark
"""
TAKE_TRENDS = "DELETE FROM trending WHERE query = ANY($1::text[])"
UNCOUNTED = """
NOT EXISTS (SELECT FROM search_marks WHERE search_marks.query = search_answers.query)
AND NOT EXISTS (SELECT FROM search_days WHERE search_days.query = search_answers.query)
"""
TAKE_ANSWERS = f"DELETE FROM search_answers WHERE query = ANY($1::text[]) AND {UNCOUNTED}"

# If two processes close a day, or one is killed and another repeats its work, both count the same:
# a closed day gets no new marks.
CLOSE = (
    """INSERT INTO search_days (query, day, people)
    SELECT query, day, count(*) FROM search_marks
    WHERE seen < $1::timestamptz AND query > $3 AND ($4::text IS NULL OR query <= $4)
    GROUP BY query, day HAVING count(*) >= $2
    ORDER BY query, day ON CONFLICT DO NOTHING""",
    """INSERT INTO pair_days (low, high, day, people)
    SELECT low, high, day, count(*) FROM pair_marks
    WHERE day < $1::timestamptz::date AND low > $3 AND ($4::text IS NULL OR low <= $4)
    GROUP BY low, high, day HAVING count(*) >= $2
    ORDER BY low, high, day ON CONFLICT DO NOTHING""",
)
CLOSE_TO = (
    "SELECT query FROM search_marks WHERE query > $1 ORDER BY query OFFSET $2 LIMIT 1",
    "SELECT low FROM pair_marks WHERE low > $1 ORDER BY low OFFSET $2 LIMIT 1",
)
CLOSE_ROWS = 100_000
"""Marks that one transaction counts, in about 0.1 s, and those of the last query."""
DROP = tuple(
    f"""DELETE FROM {table} WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM {table} WHERE {old} LIMIT $2 FOR UPDATE SKIP LOCKED
    ))"""
    for table, old in (
        ("search_marks", "seen < $1::timestamptz"),
        ("pair_marks", "day < $1::timestamptz::date"),
        ("search_answers", f"seen < $1::timestamptz AND {UNCOUNTED}"),
    )
)
DROP_ROWS = 5_000
"""Rows that one transaction deletes, as in `history`."""
PRUNE = ("DELETE FROM search_days WHERE day < $1", "DELETE FROM pair_days WHERE day < $1")


class PostgresSearchMarks:
    """Search marks as rows.

    `close_days` and `forget_person` are several units of work; every method is safe to repeat.
    """

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, searches: Sequence[MarkedSearch]) -> None:
        if searches:
            await self._postgres.run(_add, searches)

    async def forget_person(self, marks_of: MarksFinder) -> None:
        found: list[tuple[str, date, bytes]] = []
        after: tuple[str, date] | None = ("", date.min)
        while after is not None:
            more, after = await self._postgres.run(_find, marks_of, after)
            found += more
        of_day: dict[date, set[str]] = defaultdict(set)
        for query, day, _ in found:
            of_day[day].add(query)
        # Pairs first: the marks of their queries show which pairs may be the person's.
        for day, own in of_day.items():
            for lows in cut_into_chunks(sorted(own), LOW_ROWS):
                place: tuple[str, str] | None = ("", "")
                while place is not None:
                    place = await self._postgres.run(_take_pairs, marks_of, day, lows, own, place)
        for some in cut_into_chunks(found, OPEN_ROWS):
            await self._postgres.run(_take, some)

    async def close_days(self, today: date, floor: int) -> int:
        """It deletes DROP_ROWS in each transaction."""
        opened = datetime.combine(today - timedelta(days=OPEN_DAYS - 1), time(), UTC)
        for statement, end in zip(CLOSE, CLOSE_TO, strict=True):
            after: str | None = ""
            while after is not None:
                after = await self._postgres.run(_close, statement, end, opened, floor, after)
                beat()
        await self._postgres.run(_prune, today - timedelta(days=RETENTION_DAYS - 1))
        marks, *_ = [
            await delete_in_pieces(self._postgres, statement, opened, most=DROP_ROWS)
            for statement in DROP
        ]
        return marks


async def _add(connection: Connection, searches: Sequence[MarkedSearch]) -> None:
    async with connection.transaction():
        users = sorted({one.user_id for one in searches if one.user_id is not None})
        owners = (
            {row["id"]: row["history_cleared_at"] for row in await connection.fetch(OWNERS, users)}
            if users
            else {}
        )
        wanted = [one for one in searches if one.user_id is None or _is_current(one, owners)]
        # Only the latest of each key: one statement cannot change a row twice.
        marks = {(one.query, one.day, one.mark): one.searched_at for one in wanted}
        pairs = [
            (*order_pair(one.query, other.query), one.day, other.pair_mark, other.query, other.mark)
            for one in wanted
            for other in one.beside
        ]
        answers = {
            one.query: (" ".join(one.articles), one.searched_at) for one in wanted if one.articles
        }
        await _insert(connection, MARKS, [(*key, seen) for key, seen in marks.items()])
        await _insert(connection, PAIRS, pairs)
        await _insert(connection, ANSWERS, [(query, *rest) for query, rest in answers.items()])


def _is_current(search: MarkedSearch, owners: dict[int, datetime | None]) -> bool:
    if search.user_id not in owners:
        return False
    cleared_at = owners[search.user_id]
    return cleared_at is None or search.searched_at > cleared_at


async def _insert(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    if columns := [list(column) for column in zip(*rows, strict=True)]:
        await connection.execute(statement, *columns)


async def _find(
    connection: Connection, marks_of: MarksFinder, after: tuple[str, date]
) -> tuple[list[tuple[str, date, bytes]], tuple[str, date] | None]:
    """Return a person's marks among the next OPEN_ROWS open queries, and the last of these.

    The second value is None if there are no more queries.
    """
    queries = [
        (row["query"], row["day"]) for row in await connection.fetch(OPEN, *after, OPEN_ROWS)
    ]
    tried = [(query, day, mark) for query, day in queries for mark in marks_of(day, query)]
    if not tried:
        return [], None
    found = await connection.fetch(FIND, *map(list, zip(*tried, strict=True)))
    return [tuple(row) for row in found], queries[-1] if len(queries) == OPEN_ROWS else None


async def _take_pairs(  # noqa: PLR0917 - a unit of work takes its values by position
    connection: Connection,
    marks_of: MarksFinder,
    day: date,
    lows: Sequence[str],
    own: Collection[str],
    after: tuple[str, str],
) -> tuple[str, str] | None:
    """Delete a person's marks among the next PAIR_ROWS pairs of some queries.

    Returns:
        The last of these pairs; None if there are no more.
    """
    rows = await connection.fetch(PAIRS_FROM, day, lows, *after, PAIR_ROWS)
    pairs = [(row["low"], row["high"]) for row in rows if row["high"] in own]
    taken = await run_in_loop_turns(_list_pair_marks(marks_of, day, pairs))
    if taken:
        await connection.execute(TAKE_PAIRS, day, *map(list, zip(*taken, strict=True)))
    return (rows[-1]["low"], rows[-1]["high"]) if len(rows) == PAIR_ROWS else None


def _list_pair_marks(
    marks_of: MarksFinder, day: date, pairs: Sequence[tuple[str, str]]
) -> Sliced[list[tuple[str, str, bytes]]]:
    found = []
    for low, high in pairs:
        found += [(low, high, mark) for mark in marks_of(day, low, high)]
        yield
    return found


async def _take(connection: Connection, found: Sequence[tuple[str, date, bytes]]) -> None:
    queries = [query for query, _, _ in found]
    async with connection.transaction():
        await connection.execute(HOLD_LISTS)
        await connection.execute(TAKE, *map(list, zip(*found, strict=True)))
        await connection.execute(TAKE_TRENDS, queries)
        await connection.execute(TAKE_ANSWERS, queries)


async def _close(  # noqa: PLR0917 - a unit of work takes its values by position
    connection: Connection, statement: str, end: str, opened: datetime, floor: int, after: str
) -> str | None:
    """Count the marks of the next queries; return the last one, None if there are no more."""
    until: str | None = await connection.fetchval(end, after, CLOSE_ROWS)
    await connection.execute(statement, opened, floor, after, until)
    return until


async def _prune(connection: Connection, oldest: date) -> None:
    for statement in PRUNE:
        await connection.execute(statement, oldest)
