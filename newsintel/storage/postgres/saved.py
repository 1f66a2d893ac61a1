"""The SavedArticles port: which articles people saved, with their notes."""

from datetime import datetime

from asyncpg import Record

from newsintel.archive_model import Position
from newsintel.errors import InvalidParameterError
from newsintel.model import Article
from newsintel.personal_model import Put, Save, SavedPage
from newsintel.storage.postgres.articles import COLUMNS, LISTED, article_of, upsert
from newsintel.storage.postgres.pool import Connection, Postgres

# By the archive's own rules for words (English, stemmed). No index: it reads one person's saves, in their order, until the page is full.
FILTER = "to_tsvector('english', concat_ws(' ', title, publisher, notes)) @@ websearch_to_tsquery('english', $5)"
ONLY_STOP_WORDS = "SELECT numnode(websearch_to_tsquery('english', $1)) = 0"

# A page begins after a save by its time, ties by article. Of an article that is gone since, all that it tied with come once more.
PAGE = {
    content: f"""
SELECT {columns}, notes, saved_at FROM saved_articles JOIN articles ON articles.id = article_id
WHERE user_id = $1
  AND ($2::timestamptz IS NULL
       OR saved_at <= $2 AND (saved_at < $2 OR article_id > coalesce((SELECT id FROM articles WHERE public_id = $3::text), 0)))
  AND ($5::text IS NULL OR {FILTER})
ORDER BY saved_at DESC, article_id LIMIT $4
"""  # noqa: S608 - our own column names
    for content, columns in ((True, COLUMNS), (False, LISTED))
}

PUT = """
INSERT INTO saved_articles AS kept (user_id, article_id, notes, saved_at)
SELECT $1, id, $3, $4 FROM articles WHERE public_id = $2
ON CONFLICT (user_id, article_id) DO UPDATE SET notes = CASE WHEN $5 THEN kept.notes ELSE excluded.notes END
RETURNING xmax = 0 AS new, notes, saved_at
"""

DELETE = "DELETE FROM saved_articles WHERE user_id = $1 AND article_id = (SELECT id FROM articles WHERE public_id = $2)"


class PostgresSaved:
    """Saves as rows. Every method is one unit of work, safe to repeat."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def page(self, user_id: int, words: str | None, limit: int, after: Position | None, *, content: bool = False) -> SavedPage:
        """Up to `limit` saves after a position, the latest first; with the texts of their articles only if asked for.

        Raises:
            InvalidParameterError: `words` are stop words alone.
        """
        return await self._postgres.run(_page, user_id, words, limit, after, content=content)

    async def put(
        self, user_id: int, article: Article, fetched_at: datetime, *, notes: str | None, keep_notes: bool, at: datetime
    ) -> tuple[Save, Put]:
        """Save an article; one that the archive does not have yet goes there in the same transaction."""
        return await self._postgres.run(_put, user_id, article, fetched_at, notes, keep_notes=keep_notes, at=at)

    async def delete(self, user_id: int, article_id: str) -> bool:
        """Forget a save; False if there was none."""
        return await self._postgres.run(_delete, user_id, article_id)


async def _page(connection: Connection, user_id: int, words: str | None, limit: int, after: Position | None, *, content: bool) -> SavedPage:
    if words is not None and await connection.fetchval(ONLY_STOP_WORDS, words):
        raise InvalidParameterError("q", "only_stop_words", "q must hold a word that says something: `the`, `of` and their like do not.")
    saved_at, article_id = (datetime.fromisoformat(str(after.keys[0])), after.keys[1]) if after else (None, None)
    rows = await connection.fetch(PAGE[content], user_id, saved_at, article_id, limit + 1, words)
    saves = tuple(Save(article_of(row), row["notes"], row["saved_at"]) for row in rows[:limit])
    return SavedPage(saves, Position((saves[-1].saved_at.isoformat(), saves[-1].article.id)) if len(rows) > limit else None)


async def _put(
    connection: Connection, user_id: int, article: Article, fetched_at: datetime, notes: str | None, *, keep_notes: bool, at: datetime
) -> tuple[Save, Put]:
    async with connection.transaction():
        row: Record | None = await connection.fetchrow(PUT, user_id, article.id, notes, at, keep_notes)
        if row is None:
            await upsert(connection, [(article, fetched_at)])
            row = await connection.fetchrow(PUT, user_id, article.id, notes, at, keep_notes)
    return Save(article, row["notes"], row["saved_at"]), Put.NEW if row["new"] else Put.CHANGED


async def _delete(connection: Connection, user_id: int, article_id: str) -> bool:
    status: str = await connection.execute(DELETE, user_id, article_id)
    return status != "DELETE 0"
