"""The ReaderArticles port: the articles of the archive, for feed readers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from asyncpg import Record

from newsintel.domain.archive.model import ArchiveQuery, Hit
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.reader.model import Item
from newsintel.runtime.turns import run_in_turns
from newsintel.storage.postgres.archive.article_rows import ARTICLE_COLUMNS, article_of
from newsintel.storage.postgres.archive.prepared_condition import prepare_condition
from newsintel.storage.postgres.archive.search import read_page_by_time
from newsintel.storage.postgres.archive.unit_time import limit_time
from newsintel.storage.postgres.pool import Connection, Postgres

ARRIVALS = "SELECT id, first_seen_at FROM articles WHERE id = ANY($1::bigint[])"

# Whole texts of the 1,500 articles that a request may name would take 300 MB.
SHORTENED = ARTICLE_COLUMNS.replace(
    "description, content", "left(description, $2) AS description, left(content, $2) AS content"
)

# The ids have 20 characters after their prefix. Their alphabet is a-z and 2-7, whose order is the
# same under every collation. The first id from the lowest possible one is one look-up in the unique
# index for each item; of a plain range, the planner would guess that it has many rows.
FOUND = f"""
SELECT {SHORTENED}, first_seen_at, fetched_at
FROM unnest($1::text[]) AS wanted (prefix) CROSS JOIN LATERAL (
    SELECT * FROM articles WHERE public_id >= rpad(prefix, 22, '2') ORDER BY public_id LIMIT 1
) AS found
WHERE public_id <= rpad(prefix, 22, 'z')
"""  # noqa: S608 - our own column names

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class PostgresReaderArticles:
    """Every method is one unit of work on one connection."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def list_items(self, query: ArchiveQuery, limit: int) -> Sequence[Item]:
        return await self._postgres.run(_list_items, query, limit)

    async def find_articles(self, prefixes: Sequence[str], chars: int) -> Sequence[Hit]:
        rows = await self._postgres.run(_find_articles, prefixes, chars)
        return await run_in_turns(_build_hits(rows))


@limit_time
async def _list_items(connection: Connection, query: ArchiveQuery, limit: int) -> list[Item]:
    condition = await prepare_condition(connection, query)
    rows, _ = await read_page_by_time(connection, condition, query, limit, None)
    found = await connection.fetch(ARRIVALS, [row["id"] for row in rows])
    seen = {row["id"]: row["first_seen_at"] for row in found}
    return [
        Item(row["public_id"], _count_us(seen[row["id"]]), _count_us(row["published_at"]))
        for row in rows
        if row["id"] in seen
    ]


def _count_us(moment: datetime) -> int:
    """Return microseconds of Unix time; those before 1970 count as 0."""
    return max(0, (moment - EPOCH) // MICROSECOND)


async def _find_articles(
    connection: Connection, prefixes: Sequence[str], chars: int
) -> list[Record]:
    rows: list[Record] = await connection.fetch(FOUND, list(dict.fromkeys(prefixes)), chars)
    return rows


def _build_hits(rows: Sequence[Record]) -> Sliced[list[Hit]]:
    hits = []
    for row in rows:
        hits.append(Hit(article_of(row), row["first_seen_at"], row["fetched_at"]))
        yield
    return hits
