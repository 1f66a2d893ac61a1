"""The NotSame port: pairs of articles that people called different stories."""

from collections.abc import Sequence
from datetime import datetime

from newsintel.domain.paging import Position
from newsintel.domain.personal.model import NotSameMark, NotSamePage
from newsintel.domain.search.article import Article
from newsintel.storage.postgres.archive.articles import upsert
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pool import Connection, Postgres

MOST_KEPT = 5_000
"""Marks of one person: with ten a day they cover more than a year."""

PUT = """
INSERT INTO not_same_marks (user_id, low_id, high_id, marked_at)
SELECT $1, least(one.id, other.id), greatest(one.id, other.id), $4
FROM articles AS one, articles AS other WHERE one.public_id = $2 AND other.public_id = $3
ON CONFLICT (user_id, low_id, high_id) DO UPDATE SET marked_at = excluded.marked_at
RETURNING xmax = 0
"""
TRIM = """
DELETE FROM not_same_marks WHERE user_id = $1 AND (low_id, high_id) IN (
    SELECT low_id, high_id FROM not_same_marks
    WHERE user_id = $1 ORDER BY marked_at DESC, low_id, high_id OFFSET $2
)
"""
DELETE = """
DELETE FROM not_same_marks USING articles AS one, articles AS other
WHERE user_id = $1 AND one.public_id = $2 AND other.public_id = $3
    AND low_id = least(one.id, other.id) AND high_id = greatest(one.id, other.id)
"""
OTHERS = """
SELECT other.public_id FROM articles AS this
JOIN not_same_marks AS mark ON mark.user_id = $1 AND (low_id = this.id OR high_id = this.id)
JOIN articles AS other ON other.id = CASE WHEN low_id = this.id THEN high_id ELSE low_id END
WHERE this.public_id = $2
"""
# A page begins after a pair, by time, then by the ids of the pair.
PAGE = """
SELECT low.public_id AS one, high.public_id AS other, marked_at, low_id, high_id
FROM not_same_marks
JOIN articles AS low ON low.id = low_id JOIN articles AS high ON high.id = high_id
WHERE user_id = $1 AND (
    $2::timestamptz IS NULL OR marked_at < $2
    OR marked_at = $2 AND (low_id, high_id) > ($3::bigint, $4::bigint)
)
ORDER BY marked_at DESC, low_id, high_id LIMIT $5
"""


class PostgresNotSame:
    """Marks as rows. Every method is one unit of work, safe to repeat."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def record(
        self, user_id: int, pair: Sequence[tuple[Article, datetime]], at: datetime
    ) -> None:
        await self._postgres.run(_record, user_id, pair, at)

    async def delete(self, user_id: int, article_id: str, other_id: str) -> bool:
        return await self._postgres.run(change_rows, DELETE, user_id, article_id, other_id) > 0

    async def find_others(self, user_id: int, article_id: str) -> frozenset[str]:
        return await self._postgres.run(_find_others, user_id, article_id)

    async def list_page(self, user_id: int, limit: int, after: Position | None) -> NotSamePage:
        return await self._postgres.run(_read_page, user_id, limit, after)


async def _record(
    connection: Connection,
    user_id: int,
    pair: Sequence[tuple[Article, datetime]],
    at: datetime,
) -> None:
    ids = [article.id for article, _ in pair]
    async with connection.transaction():
        new = await connection.fetchval(PUT, user_id, *ids, at)
        if new is None:  # the archive does not have both articles yet
            await upsert(connection, pair)
            new = await connection.fetchval(PUT, user_id, *ids, at)
        if new:
            await connection.execute(TRIM, user_id, MOST_KEPT)


async def _find_others(connection: Connection, user_id: int, article_id: str) -> frozenset[str]:
    return frozenset(row[0] for row in await connection.fetch(OTHERS, user_id, article_id))


async def _read_page(
    connection: Connection, user_id: int, limit: int, after: Position | None
) -> NotSamePage:
    at, *ids = (
        (datetime.fromisoformat(str(after.keys[0])), *map(int, after.keys[1:]))
        if after
        else (None, None, None)
    )
    rows = await connection.fetch(PAGE, user_id, at, *ids, limit + 1)
    marks = tuple(NotSameMark(row["one"], row["other"], row["marked_at"]) for row in rows[:limit])
    if len(rows) <= limit:
        return NotSamePage(marks, None)
    last = rows[limit - 1]
    keys = (last["marked_at"].isoformat(), str(last["low_id"]), str(last["high_id"]))
    return NotSamePage(marks, Position(keys))
