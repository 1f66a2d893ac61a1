"""Every migration step, on a database with rows."""

import json

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from newsintel.config.values import Secret
from newsintel.errors import SchemaError
from newsintel.storage.postgres.migrate import check_schema, migrate
from newsintel.storage.postgres.pool import open_postgres
from newsintel.storage.postgres.steps import build_config
from tests.storage.conftest import sql

REVISIONS = [
    step.revision
    for step in reversed(list(ScriptDirectory.from_config(build_config()).walk_revisions()))
]

ROWS = {
    "0001": (
        """INSERT INTO articles (public_id, canonical_url, url, source, external_id,
               publisher, title, description, published_at, published_at_estimated,
               points, comments, first_seen_at, fetched_at)
           SELECT 'a_' || n, 'https://e.org/' || n, 'https://e.org/' || n, 'guardian', n::text,
               'The Guardian', 'Storm ' || n, 'of ' || n, '2026-01-01+00', false,
               n, 0, '2026-01-02+00', '2026-01-03+00' FROM generate_series(1, 50) AS n""",
        """INSERT INTO article_duplicates
           SELECT n, n + 1, 'near_title', 0.9 FROM generate_series(1, 20) AS n""",
        "INSERT INTO dead_letters (public_id, reason, article) VALUES ('a_0', 'a NUL', '{}')",
        """INSERT INTO search_history (query, key, results_count, searched_at)
           SELECT 'storm', 'k', n, '2026-01-01+00' FROM generate_series(1, 50) AS n""",
    ),
    "0002": (
        """INSERT INTO users (public_id, username, created_at, last_login_at)
           VALUES ('u_1', 'alice', '2026-01-01+00', '2026-01-02+00')""",
        "INSERT INTO identities VALUES ('reddit', 'alice', 1)",
        """INSERT INTO user_preferences VALUES (1, 'topics', '["storms"]', '2026-01-01+00')""",
        "INSERT INTO saved_articles VALUES (1, 7, 'read this', '2026-01-01+00')",
        """INSERT INTO search_history (query, key, results_count, searched_at, user_id)
           VALUES ('storm', 'k', 1, '2026-01-01+00', 1)""",
    ),
    "0003": (
        """INSERT INTO articles (public_id, canonical_url, url, source, external_id,
               publisher, title, author, published_at, published_at_estimated,
               first_seen_at, fetched_at)
           VALUES ('a_x', 'https://e.org/x', 'https://e.org/x', 'reddit', 'x',
               'r/News', 'Tide', 'Jo Tan', '1999-12-31+00', true,
               '2026-01-02+00', '2026-01-03+00')""",
    ),
    "0004": (),  # sets an option of an index: no new place for a row
    "0005": (
        """INSERT INTO api_keys (public_id, user_id, digest, name, scope, created_at)
           VALUES ('k_1', 1, repeat('0', 64), 'a script', 'read', '2026-01-01+00')""",
        "INSERT INTO provider_tokens VALUES (1, 'reddit', 'sealed', NULL, '2026-01-01+00')",
    ),
    "0006": (
        """INSERT INTO search_history (query, key, results_count, searched_at, user_id, public_id)
           VALUES ('tide', 'k', 1, '2026-01-02+00', 1, 's_1')""",
        "UPDATE users SET history_cleared_at = '2026-01-01+00'",
    ),
    "0007": (
        """INSERT INTO search_marks
           VALUES ('storm', '2026-01-01', decode(repeat('0', 32), 'hex'), '2026-01-01+00')""",
        "INSERT INTO search_days VALUES ('storm', '2026-01-01', 3)",
        """INSERT INTO pair_marks
           VALUES ('storm', 'tide', '2026-01-01', decode(repeat('0', 32), 'hex'))""",
        "INSERT INTO pair_days VALUES ('storm', 'tide', '2026-01-01', 3)",
        "INSERT INTO search_answers VALUES ('storm', '{a_1,a_2}', '2026-01-01+00')",
        "INSERT INTO trending VALUES ('24h', 'storm', 3, 0.5, 2)",
        "INSERT INTO trending_made VALUES ('24h', '2026-01-01+00')",
    ),
    "0008": ("INSERT INTO term_changes (search, change) VALUES ('calm', 1)",),
    "0009": (
        "INSERT INTO opened_articles VALUES (1, 8, '2026-01-02+00')",
        "INSERT INTO dismissed_articles VALUES (1, 9, 'hide', '2026-01-02+00')",
    ),
    "0010": (),  # adds columns for the index; test_carrying_over has rows with texts
    "0011": ("UPDATE articles SET discussion_url = 'https://e.org/thread' WHERE id = 3",),
    "0012": (
        "INSERT INTO story_keys (key, founder_id) SELECT 5, id FROM articles LIMIT 1",
        "INSERT INTO article_stories (article_id, founder_id) SELECT id, id FROM articles LIMIT 1",
        "INSERT INTO story_queue SELECT id FROM articles ON CONFLICT DO NOTHING",
    ),
    "0013": (
        """INSERT INTO private_feeds (public_id, user_id, digest, name, shows, q, created_at)
           VALUES ('f_1', 1, repeat('1', 64), 'my reader', 'saved', NULL, '2026-01-01+00')""",
    ),
    "0014": (
        """INSERT INTO not_same_marks (user_id, low_id, high_id, marked_at)
           SELECT 1, min(id), max(id), '2026-01-01+00' FROM articles""",
    ),
    "0015": (
        "INSERT INTO feed_hosts VALUES ('e.org', '2026-01-01+00', NULL)",
        """INSERT INTO feeds (address, url, host, origin)
           VALUES ('https://e.org/rss', 'https://e.org/rss', 'e.org', 'command')""",
    ),
    "0016": (
        "UPDATE articles SET country = 'DE' WHERE id = 4",
        "INSERT INTO gdelt_files VALUES ('20260101000000', '2026-01-01+00', NULL)",
    ),
    "0017": (
        """INSERT INTO saved_searches (public_id, user_id, name, query, every, time_zone,
               created_at, changed_at, watching_since)
           VALUES ('w_1', 1, 'storms', '{"q": "storm"}', 'day', 'UTC',
               '2026-01-01+00', '2026-01-01+00', '2026-01-01+00')""",
        "INSERT INTO search_anchors VALUES (5, 1, '{6}')",
        """INSERT INTO alert_channels (saved_search_id, kind, address)
           VALUES (1, 'ntfy', 'https://ntfy.sh/storms')""",
        "INSERT INTO alert_queue SELECT id FROM articles LIMIT 1",
        "INSERT INTO search_matches SELECT 1, id, id, '2026-01-02+00' FROM articles LIMIT 1",
        """INSERT INTO alert_deliveries (id, channel_id, created_at, due_at)
           VALUES ('d_1', 1, '2026-01-02+00', '2026-01-03+00')""",
        """INSERT INTO alert_delivery_matches
           SELECT 'd_1', saved_search_id, group_id FROM search_matches""",
        """INSERT INTO alert_attempts
               (delivery_id, attempted_at, outcome, detail, latency_ms)
           VALUES ('d_1', '2026-01-03+00', 'timeout', 'slow', 20000)""",
    ),
    "0018": (
        """INSERT INTO read_marks (user_id, article_id, read_at)
           SELECT 1, min(id), '2026-01-01+00' FROM articles""",
    ),
    "0019": ("INSERT INTO story_origins (public_id, founder_id) VALUES ('a_1', 7)",),
}
"""Rows for the tables that each step added.

A new step needs an entry, so that later steps are tested on its rows.
"""


async def take(url, revision):
    """Take the steps up to a revision, like a release of that time; call it on the asyncio side."""
    known = build_config()

    def upgrade(connection):
        known.attributes["connection"] = connection
        command.upgrade(known, revision)

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
    )
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)


async def contents(url):
    """The rows of every table as objects, by the table's name; call it on the asyncio side."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        names = sorted({row["table_name"] for row in tables} - {"alembic_version"})
        return {
            name: [
                json.loads(row[0])
                for row in await connection.fetch(f'SELECT to_jsonb(t) FROM "{name}" t')  # noqa: S608
            ]
            for name in names
        }
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge


@pytest.mark.slow
@pytest.mark.parametrize("start", REVISIONS)
async def test_migrating_keeps_the_rows_of_every_earlier_schema(bridge, empty_url, start):
    """Each revision has rows in every table.

    No row is lost, and no value changes except the words that are indexed again.
    """
    lane = bridge.add_lane("test", 1)
    for revision in REVISIONS[: REVISIONS.index(start) + 1]:
        await lane.run(take, empty_url, revision)
        await lane.run(sql, empty_url, *ROWS[revision])
    before = await lane.run(contents, empty_url)
    assert all(before.values())
    async with open_postgres(bridge, Secret(empty_url), None, 1) as service:
        if start != REVISIONS[-1]:
            with pytest.raises(SchemaError, match=start):
                await check_schema(service)
        await migrate(lane, Secret(empty_url), None, service)
        await check_schema(service)
    after = await lane.run(contents, empty_url)
    for name, rows in before.items():
        columns = rows[0].keys() - {"search", "text_language", "publisher_key"}
        kept = [{column: row[column] for column in columns} for row in after[name]]
        assert [
            one
            for one in ({column: row[column] for column in columns} for row in rows)
            if one not in kept
        ] == []
        assert len(kept) == len(rows) or name == "term_changes"
    # Tables that are filled from existing rows may get rows.
    assert (
        not {name for name, rows in after.items() if rows}
        - before.keys()
        - {"article_terms", "term_changes", "story_queue", "article_checks"}
    )
