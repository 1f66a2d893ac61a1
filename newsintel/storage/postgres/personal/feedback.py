"""The Feedback port: the articles that people opened and dismissed, the newest of each."""

from datetime import datetime
from typing import Any

from newsintel.domain.paging import Position
from newsintel.domain.personal.model import ArticleMark, Dismissal, MarkPage
from newsintel.domain.search.article import Article
from newsintel.storage.postgres.archive.article_rows import LISTED, article_of
from newsintel.storage.postgres.archive.articles import upsert
from newsintel.storage.postgres.changing import change_rows
from newsintel.storage.postgres.pool import Connection, Postgres

MOST_KEPT = 5_000
"""Rows of each kind and person. With fifty opened articles a day they cover a hundred days, of
which the latest two count most.
"""

# If a row exists already, its time is updated, so it becomes the newest.
OPEN = """
INSERT INTO opened_articles (user_id, article_id, opened_at)
SELECT $1, id, $3 FROM articles WHERE public_id = $2
ON CONFLICT (user_id, article_id) DO UPDATE SET opened_at = excluded.opened_at
RETURNING xmax = 0
"""
DISMISS = """
INSERT INTO dismissed_articles (user_id, article_id, dismissed_at, reason)
SELECT $1, id, $3, $4 FROM articles WHERE public_id = $2
ON CONFLICT (user_id, article_id) DO UPDATE
SET dismissed_at = excluded.dismissed_at, reason = excluded.reason
RETURNING xmax = 0
"""
PUT = {"opened": OPEN, "dismissed": DISMISS}

TRIM = """
DELETE FROM {name}_articles WHERE user_id = $1 AND article_id IN (
    SELECT article_id FROM {name}_articles
    WHERE user_id = $1 ORDER BY {name}_at DESC, article_id OFFSET $2
)
"""
DELETE = """
DELETE FROM {name}_articles
WHERE user_id = $1 AND article_id = (SELECT id FROM articles WHERE public_id = $2)
"""

# A page begins after an article, by time, then by article id, as a page of saves does.
PAGE = """
SELECT {columns}, {name}_at AS at, {reason} AS reason
FROM {name}_articles JOIN articles ON articles.id = article_id
WHERE user_id = $1
  AND ($2::timestamptz IS NULL
       OR {name}_at <= $2
       AND ({name}_at < $2
            OR article_id > coalesce((SELECT id FROM articles WHERE public_id = $3::text), 0)))
ORDER BY {name}_at DESC, article_id LIMIT $4
"""
OPENED_PAGE = PAGE.format(columns=LISTED, name="opened", reason="NULL")
DISMISSED_PAGE = PAGE.format(columns=LISTED, name="dismissed", reason="reason")


class PostgresFeedback:
    """Opened and dismissed articles as rows. Every method is one unit of work, safe to repeat."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def record_opened(
        self, user_id: int, article: Article, fetched_at: datetime, at: datetime
    ) -> None:
        await self._postgres.run(_put, "opened", article, fetched_at, (user_id, at))

    async def record_dismissed(
        self, user_id: int, article: Article, fetched_at: datetime, at: datetime, reason: Dismissal
    ) -> None:
        await self._postgres.run(
            _put, "dismissed", article, fetched_at, (user_id, at, reason.value)
        )

    async def delete_opened(self, user_id: int, article_id: str) -> bool:
        statement = DELETE.format(name="opened")
        return await self._postgres.run(change_rows, statement, user_id, article_id) > 0

    async def delete_dismissed(self, user_id: int, article_id: str) -> bool:
        statement = DELETE.format(name="dismissed")
        return await self._postgres.run(change_rows, statement, user_id, article_id) > 0

    async def list_opened(self, user_id: int, limit: int, after: Position | None) -> MarkPage:
        return await self._postgres.run(_read_page, OPENED_PAGE, user_id, limit, after)

    async def list_dismissed(self, user_id: int, limit: int, after: Position | None) -> MarkPage:
        return await self._postgres.run(_read_page, DISMISSED_PAGE, user_id, limit, after)


async def _put(
    connection: Connection,
    name: str,
    article: Article,
    fetched_at: datetime,
    values: tuple[Any, ...],
) -> None:
    """Insert or update a row.

    `values` are its columns without the article's id: the account's id, then the rest.
    """
    user_id, *rest = values
    async with connection.transaction():
        new = await connection.fetchval(PUT[name], user_id, article.id, *rest)
        if new is None:
            await upsert(connection, [(article, fetched_at)])
            new = await connection.fetchval(PUT[name], user_id, article.id, *rest)
        if new:
            await connection.execute(TRIM.format(name=name), user_id, MOST_KEPT)


async def _read_page(
    connection: Connection, sql: str, user_id: int, limit: int, after: Position | None
) -> MarkPage:
    at, article_id = (
        (datetime.fromisoformat(str(after.keys[0])), after.keys[1]) if after else (None, None)
    )
    rows = await connection.fetch(sql, user_id, at, article_id, limit + 1)
    marks = tuple(
        ArticleMark(article_of(row), row["at"], row["reason"] and Dismissal(row["reason"]))
        for row in rows[:limit]
    )
    return MarkPage(
        marks,
        Position((marks[-1].at.isoformat(), marks[-1].article.id)) if len(rows) > limit else None,
    )
