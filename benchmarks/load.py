"""Loads a corpus into PostgreSQL by COPY, and keeps its server's data for the next run."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.corpus import Corpus
from newsintel.config.values import Secret
from newsintel.domain.search.article import Article
from newsintel.storage.bridge import Bridge, open_bridge
from newsintel.storage.embedded.servers import run_embedded_servers
from newsintel.storage.postgres.archive.article_rows import ARTICLE_COLUMNS, build_row
from newsintel.storage.postgres.archive.indexing import Texts, index_articles
from newsintel.storage.postgres.migrate import migrate
from newsintel.storage.postgres.pool import Postgres, open_postgres

CHUNK = 5_000
"""Articles generated at a time."""

INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename = 'articles' AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""

# Counting all words once is cheaper than adding up notes of a million articles.
RECOUNT = (
    "TRUNCATE article_terms, term_changes",
    """INSERT INTO article_terms (lexeme, articles)
       SELECT word, ndoc FROM ts_stat('SELECT search FROM articles') WHERE word !~ '^([=~]|by:)'
       UNION ALL SELECT '', count(*) FROM articles""",
)


@asynccontextmanager
async def open_archive(size: int, folder: Path) -> AsyncIterator[tuple[Bridge, Postgres, str]]:
    """Run an embedded server with an archive of `size` articles. Gives its bridge, pool and URL.

    The next run uses the archive in the folder again.
    """
    async with (
        run_embedded_servers(folder / f"archive-{size}", redis=False) as own,
        open_bridge() as bridge,
    ):
        url = own.postgres_url or ""
        async with open_postgres(bridge, Secret(url), None, 4) as postgres:
            await migrate(bridge.add_lane("migrating", 1), Secret(url), None, postgres)
            await bridge.add_lane("loading", 1).run(_ensure_archive, url, size)
            yield bridge, postgres, url


async def _ensure_archive(url: str, size: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT count(*) FROM articles") != size:
            await connection.execute("TRUNCATE articles CASCADE")
            await fill_archive(connection, Corpus(size))
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge


async def fill_archive(connection: Any, corpus: Corpus) -> None:
    """Fill an empty table: first the rows, then the indexes and the word counts.

    That is much faster than updating the indexes with every row. Call it on the asyncio side.
    """
    indexes = await connection.fetch(INDEXES)
    await connection.execute("ALTER TABLE articles DISABLE TRIGGER USER")
    for name, _ in indexes:
        await connection.execute(f"DROP INDEX {name}")
    rows = corpus.generate_articles()
    while chunk := await asyncio.to_thread(list, islice(rows, CHUNK)):
        await copy_articles(connection, chunk)
    await connection.execute("SET maintenance_work_mem = '512MB'")
    for _, definition in indexes:
        await connection.execute(definition)
    await connection.execute("ALTER TABLE articles ENABLE TRIGGER USER")
    for statement in RECOUNT:
        await connection.execute(statement)
    await connection.execute("VACUUM (ANALYZE, FREEZE) articles, article_terms")


STAGE = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS stage (LIKE articles)",
    "ALTER TABLE stage ALTER search TYPE text, DROP COLUMN id",
    "TRUNCATE stage",
)
_NAMES = f"{ARTICLE_COLUMNS}, first_seen_at, fetched_at, search, text_language, publisher_key"
_STAGED_NAMES = _NAMES.replace(" search,", " search::tsvector,")
INSERT_FROM_STAGE = f"INSERT INTO articles ({_NAMES}) SELECT {_STAGED_NAMES} FROM stage"  # noqa: S608 - our own names


async def copy_articles(connection: Any, articles: Iterable[tuple[Article, datetime]]) -> None:
    """COPY articles with their words into the table, with its current indexes.

    It uses a temporary table, because the driver cannot COPY a tsvector.
    """
    if await connection.fetchval("SELECT to_regclass('pg_temp.stage')") is None:
        for statement in STAGE[:2]:
            await connection.execute(statement)
    await connection.execute(STAGE[2])
    given = list(articles)
    words = await index_articles(
        Texts(one.title, one.description, one.content, one.author, one.publisher, one.language)
        for one, _ in given
    )
    records = [
        (*build_row(one, seen), seen, *more) for (one, seen), more in zip(given, words, strict=True)
    ]
    await connection.copy_records_to_table(
        "stage", records=records, columns=_NAMES.split(", "), schema_name="pg_temp"
    )
    await connection.execute(INSERT_FROM_STAGE)
