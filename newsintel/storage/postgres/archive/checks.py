"""The ArticlePruning and ArticleChecks ports: articles that must leave the archive.

Deleting an article deletes everything that refers to it. A story whose founder is deleted ends, and
triggers let its other articles look for one again.
"""

from collections.abc import Sequence
from datetime import datetime

from newsintel.domain.archive.ports import DueCheck
from newsintel.storage.postgres.archive.indexing import reindex_articles
from newsintel.storage.postgres.pieces import delete_in_pieces
from newsintel.storage.postgres.pool import Connection, Postgres

# An article is fetched after it was published, so the index of a source's articles by their time of
# publication finds the old ones. SKIP LOCKED: articles that another process deletes or saves now
# are skipped, without waiting.
PRUNE = """
DELETE FROM articles WHERE id IN (
    SELECT id FROM articles AS old
    WHERE source = $1 AND published_at < $2 AND fetched_at < $2
    AND NOT EXISTS (SELECT FROM saved_articles WHERE article_id = old.id)
    ORDER BY published_at LIMIT $3 FOR UPDATE SKIP LOCKED
)
"""
PRUNE_ROWS = 500
"""Articles that one transaction deletes, with their words, stories and pairs."""

TAKE = """
UPDATE article_checks AS due SET due_at = now() + interval '15 minutes'
FROM articles
WHERE articles.id = due.article_id AND due.article_id IN (
    SELECT article_id FROM article_checks
    WHERE source = $1 AND due_at <= now() ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING public_id, external_id
"""
"""A check takes seconds; if its process ends, another one takes the articles after 15 minutes."""

KEEP = """
UPDATE article_checks SET due_at = now() + interval '1 day'
FROM articles WHERE articles.id = article_id AND public_id = ANY($1::text[])
"""

# The row is indexed again without the author's name.
FORGET_AUTHORS = """
UPDATE articles SET author = NULL, text_language = NULL
WHERE public_id = ANY($1::text[]) AND author IS NOT NULL RETURNING id
"""

DELETE = "DELETE FROM articles WHERE public_id = ANY($1::text[])"


class PostgresChecks:
    """Deletes articles, and notes which ones are due for a check."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def prune_source(self, source: str, before: datetime) -> int:
        """It deletes PRUNE_ROWS in each transaction, until none are left."""
        return await delete_in_pieces(self._postgres, PRUNE, source, before, most=PRUNE_ROWS)

    async def take_due(self, source: str, limit: int) -> Sequence[DueCheck]:
        return await self._postgres.run(_take, source, limit)

    async def finish(
        self, *, kept: Sequence[str], anonymous: Sequence[str], gone: Sequence[str]
    ) -> None:
        """All results of one check are one transaction."""
        await self._postgres.run(_finish, list(kept), list(anonymous), list(gone))


async def _take(connection: Connection, source: str, limit: int) -> tuple[DueCheck, ...]:
    rows = await connection.fetch(TAKE, source, limit)
    return tuple(DueCheck(row["public_id"], row["external_id"]) for row in rows)


async def _finish(
    connection: Connection, kept: list[str], anonymous: list[str], gone: list[str]
) -> None:
    async with connection.transaction():
        await connection.execute(KEEP, kept)
        unread = await connection.fetch(FORGET_AUTHORS, anonymous)
        await reindex_articles(connection, [row["id"] for row in unread])
        await connection.execute(DELETE, gone)
