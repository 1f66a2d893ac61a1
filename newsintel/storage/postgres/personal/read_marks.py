"""The ReadMarks port: which articles people have read, the newest marks of each person."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from asyncpg import Record

from newsintel.domain.bounds.chunks import cut_into_chunks
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.paging import Position
from newsintel.domain.reader.model import Item, ItemState
from newsintel.domain.reader.ports import ReadMark, ReadMarkPage
from newsintel.runtime.turns import run_in_turns
from newsintel.storage.postgres.accounts.accounts import LOCK_ACCOUNT
from newsintel.storage.postgres.pool import Connection, Postgres

MOST_KEPT = 60_000
"""Marks of one person: all items of 120 streams (`reader.model.STREAM_ITEMS` each)."""

SLICE_ROWS = 500
"""Rows of one slice: 1 ms."""

PUT = """
INSERT INTO read_marks (user_id, article_id, read_at)
SELECT $1, id, $3 FROM articles WHERE public_id = ANY($2::text[]) ORDER BY id
ON CONFLICT (user_id, article_id) DO UPDATE SET read_at = excluded.read_at
"""
TRIM = """
DELETE FROM read_marks WHERE user_id = $1 AND article_id IN (
    SELECT article_id FROM read_marks
    WHERE user_id = $1 ORDER BY read_at DESC, article_id OFFSET $2
)
"""
DELETE = """
DELETE FROM read_marks
WHERE user_id = $1 AND article_id IN (SELECT id FROM articles WHERE public_id = ANY($2::text[]))
"""
STATES = """
SELECT public_id, read_marks.article_id IS NOT NULL AS read,
    saved_articles.article_id IS NOT NULL AS starred
FROM articles
LEFT JOIN read_marks ON read_marks.user_id = $1 AND read_marks.article_id = articles.id
LEFT JOIN saved_articles
    ON saved_articles.user_id = $1 AND saved_articles.article_id = articles.id
WHERE public_id = ANY($2::text[])
    AND (read_marks.article_id IS NOT NULL OR saved_articles.article_id IS NOT NULL)
"""
# Without the notes: those of all saves of a person may be 50 million characters.
STARRED = """
SELECT public_id,
    greatest(0, (extract(epoch FROM saved_at) * 1000000)::bigint) AS saved_us,
    greatest(0, (extract(epoch FROM published_at) * 1000000)::bigint) AS published_us
FROM saved_articles JOIN articles ON articles.id = article_id WHERE user_id = $1
"""
# A page begins after a mark, by time, then by article id, as a page of saves does.
PAGE = """
SELECT public_id, read_at FROM read_marks JOIN articles ON articles.id = article_id
WHERE user_id = $1
  AND ($2::timestamptz IS NULL
       OR read_at <= $2
       AND (read_at < $2
            OR article_id > coalesce((SELECT id FROM articles WHERE public_id = $3::text), 0)))
ORDER BY read_at DESC, article_id LIMIT $4
"""


class PostgresReadMarks:
    """Marks as rows. Every method is one unit of work, safe to repeat."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def mark_read(self, user_id: int, article_ids: Sequence[str], at: datetime) -> None:
        await self._postgres.run(_mark_read, user_id, article_ids, at)

    async def mark_unread(self, user_id: int, article_ids: Sequence[str]) -> None:
        await self._postgres.run(_mark_unread, user_id, article_ids)

    async def find_states(
        self, user_id: int, article_ids: Sequence[str]
    ) -> Mapping[str, ItemState]:
        rows = await self._postgres.run(_find_states, user_id, article_ids)
        return await run_in_turns(_build_states(rows))

    async def list_starred(self, user_id: int) -> Sequence[Item]:
        rows = await self._postgres.run(_list_starred, user_id)
        return await run_in_turns(_build_items(rows))

    async def list_page(self, user_id: int, limit: int, after: Position | None) -> ReadMarkPage:
        return await self._postgres.run(_read_page, user_id, limit, after)


async def _mark_read(
    connection: Connection, user_id: int, article_ids: Sequence[str], at: datetime
) -> None:
    async with connection.transaction():
        await connection.execute(LOCK_ACCOUNT, user_id)
        await connection.execute(PUT, user_id, list(article_ids), at)
        await connection.execute(TRIM, user_id, MOST_KEPT)


async def _mark_unread(connection: Connection, user_id: int, article_ids: Sequence[str]) -> None:
    await connection.execute(DELETE, user_id, list(article_ids))


async def _find_states(
    connection: Connection, user_id: int, article_ids: Sequence[str]
) -> list[Record]:
    rows: list[Record] = await connection.fetch(STATES, user_id, list(article_ids))
    return rows


def _build_states(rows: Sequence[Record]) -> Sliced[dict[str, ItemState]]:
    states: dict[str, ItemState] = {}
    for some in cut_into_chunks(rows, SLICE_ROWS):
        states |= {row["public_id"]: ItemState(row["read"], row["starred"]) for row in some}
        yield
    return states


async def _list_starred(connection: Connection, user_id: int) -> list[Record]:
    rows: list[Record] = await connection.fetch(STARRED, user_id)
    return rows


def _build_items(rows: Sequence[Record]) -> Sliced[list[Item]]:
    items: list[Item] = []
    for some in cut_into_chunks(rows, SLICE_ROWS):
        items += [Item(*row) for row in some]
        yield
    return items


async def _read_page(
    connection: Connection, user_id: int, limit: int, after: Position | None
) -> ReadMarkPage:
    at, article_id = (
        (datetime.fromisoformat(str(after.keys[0])), after.keys[1]) if after else (None, None)
    )
    rows = await connection.fetch(PAGE, user_id, at, article_id, limit + 1)
    marks = tuple(ReadMark(row["public_id"], row["read_at"]) for row in rows[:limit])
    more = len(rows) > limit
    return ReadMarkPage(
        marks, Position((marks[-1].read_at.isoformat(), marks[-1].article_id)) if more else None
    )
