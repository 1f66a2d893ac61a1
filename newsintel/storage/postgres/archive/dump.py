"""The ArchiveDump port: the whole archive, page by page, in the order of the first save."""

from collections.abc import Sequence

from asyncpg import Record

from newsintel.domain.archive.model import Hit
from newsintel.storage.postgres.archive.article_rows import ARTICLE_COLUMNS, article_of
from newsintel.storage.postgres.pool import Connection, Postgres

PAGE = f"""
SELECT {ARTICLE_COLUMNS}, first_seen_at, fetched_at FROM articles
WHERE id > coalesce((SELECT id FROM articles WHERE public_id = $1), 0)
ORDER BY id LIMIT $2
"""  # noqa: S608 - our own column names


class PostgresDump:
    """Pages by the primary key.

    The last page costs as little as the first, and no transaction lasts longer than one page.
    """

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def read_page(self, after: str | None, limit: int) -> tuple[Hit, ...]:
        """If the article `after` is not archived, the dump starts at the first article."""
        rows = await self._postgres.run(_read_page, after, limit)
        return tuple(Hit(article_of(row), row["first_seen_at"], row["fetched_at"]) for row in rows)


async def _read_page(connection: Connection, after: str | None, limit: int) -> Sequence[Record]:
    rows: Sequence[Record] = await connection.fetch(PAGE, after, limit)
    return rows
