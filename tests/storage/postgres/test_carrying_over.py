"""The texts of an earlier release's archive are indexed again.

Nothing is lost, and one log line reports it.
"""

from structlog.testing import capture_logs

from newsintel.config.values import Secret
from newsintel.domain.archive.query import build_archive_query
from newsintel.storage.postgres.archive import indexing
from newsintel.storage.postgres.archive.indexing import BATCH_ROWS, PostgresIndexing
from newsintel.storage.postgres.archive.search import PostgresSearch
from newsintel.storage.postgres.migrate import migrate
from newsintel.storage.postgres.pool import open_postgres
from tests.storage.conftest import rows, sql
from tests.storage.postgres.test_migrate_rows import take

OLD = """INSERT INTO articles (public_id, canonical_url, url, source, external_id,
             publisher, title, description, author,
             published_at, published_at_estimated, first_seen_at, fetched_at)
         SELECT 'a_' || n, 'https://e.org/' || n, 'https://e.org/' || n, 'guardian', n::text,
             'Straßenblatt', 'Kyiv’s mayor speaks ' || n, 'of “Hormuz”', 'J. Weiß',
             '2026-01-01+00'::timestamptz + n * interval '1 s', false,
             '2026-01-02+00', '2026-01-03+00'
         FROM generate_series(1, {articles}) AS n"""
ALL = "SELECT public_id, title, description, author, publisher FROM articles ORDER BY id"


async def found(search, q):
    """The number of articles that a query finds, up to a hundred."""
    return len((await search.search(build_archive_query(q), 100, None)).hits)


async def test_articles_of_an_earlier_release_are_found_by_their_words(bridge, empty_url):
    """These are words that the older parser joined with others.

    There is more than one batch of articles, and each text stays unchanged.
    """
    lane, articles = bridge.add_lane("test", 1), BATCH_ROWS + 7
    await lane.run(take, empty_url, "0009")
    await lane.run(sql, empty_url, OLD.format(articles=articles))
    before = await lane.run(rows, empty_url, ALL)
    async with open_postgres(bridge, Secret(empty_url), None, 1) as service:
        with capture_logs() as lines:
            await migrate(lane, Secret(empty_url), None, service)
        search = PostgresSearch(service)
        for q in (
            "kyiv",
            "hormuz",
            "author:weiss",
            "publisher:strassenblatt",
            '"kyiv mayor"',
            "kyiv 207",
        ):
            assert await found(search, q) == (1 if "207" in q else 100), q
        with capture_logs() as again:
            await migrate(lane, Secret(empty_url), None, service)
    assert [line for line in lines if line["event"] == "texts_read_again"] == [
        {"event": "texts_read_again", "log_level": "info", "articles": articles}
    ]
    assert [line["event"] for line in again] == ["schema_up_to_date"]
    assert await lane.run(rows, empty_url, ALL) == before


async def test_articles_written_by_an_older_process_are_indexed(postgres, bridge, database_url):
    """During a roll-out, an older process still writes articles without the new column."""
    lane, search = bridge.add_lane("test", 1), PostgresSearch(postgres)
    await lane.run(sql, database_url, OLD.format(articles=3))
    assert await found(search, "kyiv") == 0
    assert await PostgresIndexing(postgres).index_batch() == 3
    assert await found(search, "kyiv") == 3
    assert await PostgresIndexing(postgres).index_batch() == 0


async def test_a_batch_is_bounded_in_characters(postgres, bridge, database_url, monkeypatch):
    """Long texts of an import would take longer than a transaction may be idle."""
    lane = bridge.add_lane("test", 1)
    await lane.run(sql, database_url, OLD.format(articles=3))
    monkeypatch.setattr(indexing, "BATCH_CHARS", 1)
    assert [await PostgresIndexing(postgres).index_batch() for _ in range(4)] == [1, 1, 1, 0]
    assert await found(PostgresSearch(postgres), "kyiv") == 3
