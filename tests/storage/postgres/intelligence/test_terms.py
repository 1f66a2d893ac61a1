# ruff: noqa: S608 - our own constants
"""Counts of words on a real PostgreSQL.

They are exact after any write, by any process and in any order of commits.
"""

from contextlib import suppress

import asyncpg
import pytest
import trio
from attrs import evolve

from newsintel.config.values import Secret
from newsintel.errors import ArchiveTimeoutError
from newsintel.storage.postgres.intelligence import terms as terms_module
from newsintel.storage.postgres.intelligence.terms import LOCK_TERM_COUNTS, PostgresTerms
from newsintel.storage.postgres.migrate import migrate
from newsintel.storage.postgres.pool import open_postgres
from tests.storage.conftest import rows, sql
from tests.storage.postgres.slow_deletions import slow_deletion
from tests.storage.postgres.test_migrate_rows import ROWS, take
from tests.storage.support import NOON, article

COUNTS = "SELECT lexeme, articles FROM article_terms WHERE articles <> 0 ORDER BY lexeme"
TRUTH = """
SELECT word, ndoc::bigint FROM ts_stat('SELECT search FROM articles') WHERE word !~ '^([=~]|by:)'
UNION ALL
SELECT '', count(*) FROM articles HAVING count(*) > 0 ORDER BY 1
"""


@pytest.fixture
def terms(postgres):
    """The counts in their own database."""
    return PostgresTerms(postgres)


async def add_up_all(terms):
    """Add changes until none is left; returns their number."""
    total = 0
    while added := await terms.apply_changes():
        total += added
    return total


async def test_counts_equal_a_recount(archive, terms, fetch, execute):
    """This holds after a save, a repeated save, a fuller text, and a delete by foreign SQL.

    The empty word counts all articles.
    """
    named = [
        article(f"n{number}", title=f"Storm {number} hits coast", description="of Wales")
        for number in range(20)
    ]
    await archive.save_articles([(one, NOON) for one in named], [])
    assert await add_up_all(terms) == 20
    await archive.save_articles([(one, NOON) for one in named], [])
    assert await add_up_all(terms) == 0, "no text changed"
    fuller = evolve(named[3], description="of Wales and Cornwall, where a storm is nothing new")
    await archive.save_articles([(fuller, NOON), (article("late", title="Calm"), NOON)], [])
    await execute(f"DELETE FROM articles WHERE public_id IN ('{named[5].id}', '{named[6].id}')")
    await add_up_all(terms)
    counts = dict(await fetch(COUNTS))
    assert counts == dict(await fetch(TRUTH))
    assert (counts["en:storm"], counts["en:cornwal"], counts["en:calm"], counts[""]) == (
        18,
        1,
        1,
        19,
    )


async def test_article_that_commits_late_is_counted(archive, terms, database_url, bridge, fetch):
    """Ids are assigned before the commit.

    An article with a lower id may become visible after others were counted.
    """
    save = """INSERT INTO articles (public_id, canonical_url, url, source, external_id, publisher,
                  title, published_at, published_at_estimated, first_seen_at, fetched_at, search)
              VALUES ('a_slow', 'u', 'u', 's', 'e', 'p',
                  'Slowpoke', now(), false, now(), now(), '''en:slowpok'':1A')"""

    async def begin():
        connection = await asyncpg.connect(database_url)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(save)
        return connection, transaction

    async def finish(connection, transaction):
        await transaction.commit()
        await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge

    lane = bridge.add_lane("test", 1)
    connection, transaction = await lane.run(begin)
    await archive.save_articles([(article("quick", title="Quickstep"), NOON)], [])
    assert await add_up_all(terms) == 1
    await lane.run(finish, connection, transaction)
    assert await add_up_all(terms) == 1
    assert dict(await fetch(COUNTS)) == {"": 2, "en:quickstep": 1, "en:slowpok": 1}


async def test_concurrent_batches_count_every_change_once(archive, terms, fetch, monkeypatch):
    """Four tasks add at the same time.

    No change is added twice or lost, and one call adds at most one batch.
    """
    monkeypatch.setattr(terms_module, "BATCH_ROWS", 7)
    await archive.save_articles(
        [(article(f"n{number}", title=f"Flood {number % 5}"), NOON) for number in range(100)], []
    )
    assert await terms.apply_changes() == 7

    async def work():
        for _ in range(40):
            await terms.apply_changes()

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(work)
    await add_up_all(terms)
    assert dict(await fetch(COUNTS)) == dict(await fetch(TRUTH))


async def test_only_one_process_adds_at_a_time(archive, terms, database_url, bridge):
    """A second process returns at once and does not wait."""
    await archive.save_articles([(article(), NOON)], [])

    async def begin():
        connection = await asyncpg.connect(database_url)
        await connection.transaction().start()
        await connection.fetchval(LOCK_TERM_COUNTS)
        return connection

    lane = bridge.add_lane("test", 1)
    other = await lane.run(begin)
    assert await terms.apply_changes() == 0
    await lane.run(other.close)
    assert await terms.apply_changes() == 1


async def test_migration_counts_the_words_of_older_articles(empty_url, bridge):
    """The database comes from an earlier release."""
    lane = bridge.add_lane("test", 1)
    await lane.run(take, empty_url, "0006")
    await lane.run(sql, empty_url, ROWS["0001"][0])
    async with open_postgres(bridge, Secret(empty_url), None, 1) as service:
        await migrate(lane, Secret(empty_url), None, service)
    assert (
        await lane.run(
            rows, empty_url, "SELECT articles FROM article_terms WHERE lexeme IN ('', 'storm')"
        )
    ) == [(50,), (50,)]


async def test_a_batch_that_takes_too_long_is_smaller_next_time(
    archive, terms, execute, fetch, monkeypatch
):
    """The same one would be tried for ever: texts of a feed may have thousands of rare words."""
    await execute(slow_deletion("term_changes", 2))
    monkeypatch.setattr(terms_module, "BATCH_ROWS", 8)
    await archive.save_articles(
        [(article(f"n{n}", title=f"Storm {n}"), NOON) for n in range(8)], []
    )
    for _ in range(2):
        with pytest.raises(ArchiveTimeoutError):
            await terms.apply_changes()
    while await fetch("SELECT FROM term_changes LIMIT 1"):
        with suppress(ArchiveTimeoutError):
            await terms.apply_changes()
    assert await fetch(COUNTS) == await fetch(TRUTH)
