"""The SaveCounts port: how many people saved each article."""

from collections.abc import Mapping

from newsintel.storage.postgres.pool import Connection, Postgres

# A person has one row for each saved article, so the number of rows is the number of people.
# PostgreSQL counts them in the index by article.
MOST_SAVED = """
SELECT public_id, people FROM (
    SELECT article_id, count(*) AS people FROM saved_articles
    GROUP BY article_id HAVING count(*) >= $1 ORDER BY people DESC, article_id LIMIT $2
) AS popular JOIN articles ON articles.id = article_id
"""


class PostgresSaveCounts:
    """Counts saves."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def count_saves(self, floor: int, limit: int) -> Mapping[str, int]:
        return await self._postgres.run(_count_saves, floor, limit)


async def _count_saves(connection: Connection, floor: int, limit: int) -> Mapping[str, int]:
    return dict(await connection.fetch(MOST_SAVED, floor, limit))
