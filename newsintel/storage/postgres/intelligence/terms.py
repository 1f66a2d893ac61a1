"""The TermCounts port: adds recorded changes to the number of articles that contain each word.

docs/decisions/0017 explains why.
"""

from newsintel.domain.bounds.batch_size import BatchSize
from newsintel.errors import ArchiveTimeoutError
from newsintel.storage.postgres.pool import Connection, Postgres

LOCK_TERM_COUNTS = "SELECT pg_try_advisory_xact_lock(7264052)"
"""An arbitrary number that no other program locks. Two processes that count at once would block
each other at the most common words.
"""

# Rows are sorted, so that the words of one batch lie close together. The empty lexeme counts the
# articles. Lexemes for authors and diacritics (newsintel.domain.text.lexemes) are not counted.
COUNT = """
WITH taken AS (
    DELETE FROM term_changes
    WHERE id IN (SELECT id FROM term_changes ORDER BY id LIMIT $1) RETURNING search, change
), counted AS (
    INSERT INTO article_terms AS kept (lexeme, articles)
    SELECT lexeme, sum(change) FROM taken
    CROSS JOIN LATERAL unnest(array_append(tsvector_to_array(search), '')) AS lexeme
    WHERE lexeme !~ '^([=~]|by:)' GROUP BY lexeme HAVING sum(change) <> 0 ORDER BY lexeme
    ON CONFLICT (lexeme) DO UPDATE SET articles = kept.articles + excluded.articles
)
SELECT count(*) FROM taken
"""

BATCH_ROWS = 1_000
"""Changes that one transaction adds, in about 0.1 s (docs/decisions/0017). Those of texts with
thousands of rare words take seconds."""


class PostgresTerms:
    """Adds recorded changes to the counts. Several processes may do this at once."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._size = BatchSize()

    async def apply_changes(self) -> int:
        """A batch is up to BATCH_ROWS changes, the oldest first.

        After one that took too long the next one is smaller: the same one would be tried for ever.
        """
        try:
            taken = await self._postgres.run(_apply_changes, self._size.cut(BATCH_ROWS))
        except ArchiveTimeoutError:
            self._size.shrink()
            raise
        self._size.grow()
        return taken


async def _apply_changes(connection: Connection, most: int) -> int:
    async with connection.transaction():
        if not await connection.fetchval(LOCK_TERM_COUNTS):
            return 0
        taken: int = await connection.fetchval(COUNT, most)
        return taken
