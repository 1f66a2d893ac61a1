"""An archive of an earlier release: its texts are read again by themselves, nothing is lost, and one line says so."""

from structlog.testing import capture_logs

from newsintel.config.values import Secret
from newsintel.domain.archive.query import build
from newsintel.storage.postgres.archive.indexing import BATCH_ROWS, PostgresIndexing
from newsintel.storage.postgres.archive.search import PostgresSearch
from newsintel.storage.postgres.migrate import migrate
from newsintel.storage.postgres.pool import open_postgres
from tests.storage.conftest import rows, sql
from tests.storage.postgres.test_migrate_rows import take

OLD = """INSERT INTO articles (public_id, canonical_url, url, source, external_id, publisher, title, description, author, published_at,
             published_at_estimated, first_seen_at, fetched_at)
         SELECT 'a_' || n, 'https://e.org/' || n, 'https://e.org/' || n, 'guardian', n::text, 'Straßenblatt', 'Kyiv’s mayor speaks ' || n,
             'of “Hormuz”', 'J. Weiß', '2026-01-01+00'::timestamptz + n * interval '1 s', false, '2026-01-02+00', '2026-01-03+00'
         FROM generate_series(1, {articles}) AS n"""
ALL = "SELECT public_id, title, description, author, publisher FROM articles ORDER BY id"


async def found(search, q):
    """How many articles a query finds, of a hundred at most."""
    return len((await search.search(build(q), 100, None)).hits)


async def test_what_an_earlier_release_archived_is_found_by_its_words(bridge, empty_url):
    """By words that its parser glued to others; more than a batch of articles, and each text as it was."""
    lane, articles = bridge.lane("test", 1), BATCH_ROWS + 7
    await lane.run(take, empty_url, "0009")
    await lane.run(sql, empty_url, OLD.format(articles=articles))
    before = await lane.run(rows, empty_url, ALL)
    async with open_postgres(bridge, Secret(empty_url), None, 1) as service:
        with capture_logs() as lines:
            await migrate(lane, Secret(empty_url), None, service)
        search = PostgresSearch(service)
        for q in ("kyiv", "hormuz", "author:weiss", "publisher:strassenblatt", '"kyiv mayor"', "kyiv 207"):
            assert await found(search, q) == (1 if "207" in q else 100), q
        with capture_logs() as again:
            await migrate(lane, Secret(empty_url), None, service)
    assert [line for line in lines if line["event"] == "texts_read_again"] == [
        {"event": "texts_read_again", "log_level": "info", "articles": articles}
    ]
    assert [line["event"] for line in again] == ["schema_up_to_date"]
    assert await lane.run(rows, empty_url, ALL) == before


async def test_what_an_older_process_writes_meanwhile_is_read_too(postgres, bridge, database_url):
    """While a roll-out lasts it goes on writing, to a column that it does not know."""
    lane, search = bridge.lane("test", 1), PostgresSearch(postgres)
    await lane.run(sql, database_url, OLD.format(articles=3))
    assert await found(search, "kyiv") == 0
    assert await PostgresIndexing(postgres).read_some() == 3
    assert await found(search, "kyiv") == 3
    assert await PostgresIndexing(postgres).read_some() == 0
