"""The SavedArticles port: the articles that people saved, with their notes."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from asyncpg import Record

from newsintel.domain.paging import Position
from newsintel.domain.personal.model import PutResult, Save, SavedPage
from newsintel.domain.search.article import Article
from newsintel.domain.search.matching import PreparedQuery, prepare_text
from newsintel.domain.search.query_model import Clause
from newsintel.domain.text.languages import SIMPLE
from newsintel.domain.text.parts import cut_at_spaces
from newsintel.storage.postgres.accounts.accounts import LOCK_ACCOUNT
from newsintel.storage.postgres.archive.article_rows import ARTICLE_COLUMNS, LISTED, article_of
from newsintel.storage.postgres.archive.articles import upsert
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pool import Connection, Postgres

MOST_SAVES = 5_000
"""Saves of one account: almost five a day for three years. Opened and dismissed articles have the
same limit.
"""

CHUNK_ROWS = 100
"""Saves that one query reads, until a page of matching ones is full."""

MOST_CHARS, CHARS_EACH = 200_000, 40
"""Characters of notes that one request searches before it leaves the rest to the next page, and the
fixed cost of each save in characters.

This is enough for all 5,000 saves without notes, or for 20 with the longest notes. Long notes take
8 ms each (50 ms in Chinese; measured on two busy cores).
"""

PART_CHARS, OVERLAP_CHARS = 400, 256
"""Characters of notes that are searched without a pause (3 ms for Chinese), and the overlap of
neighbouring parts: the length of a query.
"""

# A page begins after a save, by time, then by article id. If that article is gone, all saves of the
# same time are listed again.
PAGE = {
    content: f"""
SELECT {columns}, text_language, notes, saved_at
FROM saved_articles JOIN articles ON articles.id = article_id
WHERE user_id = $1
  AND ($2::timestamptz IS NULL
       OR saved_at <= $2
       AND (saved_at < $2
            OR article_id > coalesce((SELECT id FROM articles WHERE public_id = $3::text), 0)))
ORDER BY saved_at DESC, article_id LIMIT $4
"""  # noqa: S608 - our own column names
    for content, columns in ((True, ARTICLE_COLUMNS), (False, LISTED))
}

FULL = f"""
SELECT count(*) >= {MOST_SAVES} AND NOT coalesce(
    bool_or(article_id = (SELECT id FROM articles WHERE public_id = $2)), false
)
FROM saved_articles WHERE user_id = $1
"""  # noqa: S608 - our own number
PUT = """
INSERT INTO saved_articles AS kept (user_id, article_id, notes, saved_at)
SELECT $1, id, $3, $4 FROM articles WHERE public_id = $2
ON CONFLICT (user_id, article_id) DO UPDATE
SET notes = CASE WHEN $5 THEN kept.notes ELSE excluded.notes END
RETURNING xmax = 0 AS new, notes, saved_at
"""

DELETE = """
DELETE FROM saved_articles
WHERE user_id = $1 AND article_id = (SELECT id FROM articles WHERE public_id = $2)
"""


class PostgresSaved:
    """Saves as rows. Every method is one unit of work, safe to repeat."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def list_page(
        self,
        user_id: int,
        words: Sequence[Clause] | None,
        limit: int,
        after: Position | None,
        *,
        content: bool = False,
    ) -> SavedPage:
        """With words, a page ends after MOST_CHARS; its position leads to the rest."""
        return await self._postgres.run(_read_page, user_id, words, limit, after, content=content)

    async def put(
        self,
        user_id: int,
        article: Article,
        fetched_at: datetime,
        *,
        notes: str | None,
        keep_notes: bool,
        at: datetime,
    ) -> tuple[Save, PutResult]:
        return await self._postgres.run(
            _put, user_id, article, fetched_at, notes, keep_notes=keep_notes, at=at
        )

    async def delete(self, user_id: int, article_id: str) -> bool:
        return await self._postgres.run(change_rows, DELETE, user_id, article_id) > 0


async def _read_page(
    connection: Connection,
    user_id: int,
    words: Sequence[Clause] | None,
    limit: int,
    after: Position | None,
    *,
    content: bool,
) -> SavedPage:
    asked = None if words is None else PreparedQuery(tuple(words))
    rows: list[Record] = []
    saved_at, article_id = (
        (datetime.fromisoformat(str(after.keys[0])), after.keys[1]) if after else (None, None)
    )
    chunk_rows = limit + 1 if asked is None else CHUNK_ROWS
    left, more, following = MOST_CHARS, True, None
    while more and len(rows) <= limit:
        chunk = await connection.fetch(PAGE[content], user_id, saved_at, article_id, chunk_rows)
        more = len(chunk) == chunk_rows
        for row in chunk:
            if len(rows) > limit:
                break
            if asked is not None and left <= 0:
                return _build_page(rows, limit, following)
            if asked is None or await _has_words(asked, row):
                rows.append(row)
            saved_at, article_id = row["saved_at"], row["public_id"]
            following = Position((row["saved_at"].isoformat(), row["public_id"]))
            left -= CHARS_EACH + len(row["notes"] or "")
    return _build_page(rows, limit, None)


def _build_page(rows: Sequence[Record], limit: int, following: Position | None) -> SavedPage:
    """Return a page of rows.

    If there are more rows than `limit`, the next page begins among them, else at `following`.
    """
    saves = tuple(Save(article_of(row), row["notes"], row["saved_at"]) for row in rows[:limit])
    if len(rows) > limit:
        following = Position((saves[-1].saved_at.isoformat(), saves[-1].article.id))
    return SavedPage(saves, following)


async def _has_words(asked: PreparedQuery, row: Record) -> bool:
    """Return True if title, publisher and notes together contain the words.

    The rules are those of the article's language.
    """
    language = row["text_language"] or SIMPLE
    looked_in = []
    for text in (
        row["title"],
        row["publisher"],
        *cut_at_spaces(row["notes"] or "", PART_CHARS, OVERLAP_CHARS),
    ):
        looked_in.append(prepare_text(text, language))
        await asyncio.sleep(0)  # lets other tasks run
    return asked.matches(looked_in, language)


async def _put(
    connection: Connection,
    user_id: int,
    article: Article,
    fetched_at: datetime,
    notes: str | None,
    *,
    keep_notes: bool,
    at: datetime,
) -> tuple[Save, PutResult]:
    async with connection.transaction():
        await connection.execute(LOCK_ACCOUNT, user_id)
        if await connection.fetchval(FULL, user_id, article.id):
            return Save(article, notes, at), PutResult.FULL
        row: Record | None = await connection.fetchrow(
            PUT, user_id, article.id, notes, at, keep_notes
        )
        if row is None:
            await upsert(connection, [(article, fetched_at)])
            row = await connection.fetchrow(PUT, user_id, article.id, notes, at, keep_notes)
    return Save(article, row["notes"], row["saved_at"]), PutResult.NEW if row[
        "new"
    ] else PutResult.CHANGED
