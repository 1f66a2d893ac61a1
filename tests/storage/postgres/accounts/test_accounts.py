# ruff: noqa: S608 - our own constants
"""The tables of accounts, by plain SQL: deletes cascade, and invalid rows cannot be stored."""

import json

import asyncpg
import pytest

from tests.storage.support import NOON, article

USER = (
    "INSERT INTO users (public_id, username, created_at, last_login_at)"
    " VALUES ('u_{0}', 'user {0}', '2026-01-01+00', '2026-01-01+00')"
)
MOMENT = "'2026-01-01+00'"


@pytest.fixture
async def two_users(archive, execute):
    """Users 1 and 2, each with one row of every kind, and articles 1 and 2."""
    await archive.save_articles([(article("one"), NOON)], [])
    await archive.save_articles([(article("two"), NOON)], [])
    for user in (1, 2):
        await execute(
            USER.format(user),
            f"""INSERT INTO identities
                VALUES ('reddit', 'user{user}', {user}), ('oidc', 'user{user}', {user})""",
            f"INSERT INTO user_preferences VALUES ({user}, 'topics', '[]', {MOMENT})",
            f"""INSERT INTO saved_articles
                VALUES ({user}, 1, NULL, {MOMENT}), ({user}, 2, 'notes', {MOMENT})""",
            f"""INSERT INTO search_history (query, key, results_count, searched_at, user_id)
                VALUES ('q', 'k', 1, {MOMENT}, {user})""",
        )
    await execute(
        "INSERT INTO search_history (query, key, results_count, searched_at)"
        f" VALUES ('q', 'k', 1, {MOMENT})"
    )


OF_A_USER = ("identities", "user_preferences", "saved_articles", "search_history")


async def test_deleting_an_account_deletes_its_rows(two_users, execute, fetch):
    """The other account keeps its rows. Anonymous searches and articles stay."""
    await execute("DELETE FROM users WHERE public_id = 'u_1'")
    for table in OF_A_USER:
        assert await fetch(f"SELECT count(*) FROM {table} WHERE user_id = 1") == [(0,)]
        assert (await fetch(f"SELECT count(*) FROM {table} WHERE user_id = 2"))[0][0] > 0
    assert await fetch("SELECT count(*) FROM search_history WHERE user_id IS NULL") == [(1,)]
    assert await fetch("SELECT count(*) FROM articles") == [(2,)]


async def test_deleting_an_article_deletes_its_saves(two_users, execute, fetch):
    """A save of a deleted article would be a broken link."""
    await execute("DELETE FROM articles WHERE id = 1")
    assert await fetch("SELECT user_id, article_id FROM saved_articles ORDER BY user_id") == [
        (1, 2),
        (2, 2),
    ]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (USER.format(1), asyncpg.UniqueViolationError),
        ("INSERT INTO identities VALUES ('reddit', 'user1', 2)", asyncpg.UniqueViolationError),
        (
            f"INSERT INTO user_preferences VALUES (1, 'topics', '[1]', {MOMENT})",
            asyncpg.UniqueViolationError,
        ),
        (
            f"INSERT INTO saved_articles VALUES (1, 1, 'again', {MOMENT})",
            asyncpg.UniqueViolationError,
        ),
        ("INSERT INTO identities VALUES ('reddit', 'new', 99)", asyncpg.ForeignKeyViolationError),
        (
            f"INSERT INTO saved_articles VALUES (1, 99, NULL, {MOMENT})",
            asyncpg.ForeignKeyViolationError,
        ),
        ("INSERT INTO identities VALUES ('reddit', '', 1)", asyncpg.CheckViolationError),
        ("UPDATE users SET username = ''", asyncpg.CheckViolationError),
        ("UPDATE users SET created_at = '20000-01-01'", asyncpg.CheckViolationError),
        ("UPDATE users SET last_login_at = 'infinity'", asyncpg.CheckViolationError),
        ("UPDATE user_preferences SET updated_at = '-infinity'", asyncpg.CheckViolationError),
        ("UPDATE saved_articles SET saved_at = '1999-12-31+00'", asyncpg.CheckViolationError),
        ("UPDATE saved_articles SET notes = repeat('é', 10001)", asyncpg.CheckViolationError),
        (
            "UPDATE user_preferences SET value = to_jsonb(repeat('é', 2048))",
            asyncpg.CheckViolationError,
        ),
        ("UPDATE user_preferences SET key = repeat('k', 101)", asyncpg.CheckViolationError),
    ],
)
async def test_invalid_row_cannot_be_stored(two_users, execute, statement, error):
    """The tables refuse what the service may forget to check.

    These are duplicates, unknown accounts, implausible dates and texts beyond their limit.
    """
    with pytest.raises(error):
        await execute(statement)


async def test_longest_texts_are_allowed(two_users, execute):
    """Notes have up to 10,000 characters, and a preference 4 KiB with its quotes, in any script."""
    await execute(
        "UPDATE saved_articles SET notes = repeat('é', 10000)",
        "UPDATE user_preferences SET value = to_jsonb(repeat('é', 2047))",
    )


QUESTIONS = {
    "user_preferences_sources": (
        "SELECT user_id FROM user_preferences"
        """ WHERE key = 'preferred_sources' AND value @> '["guardian"]'"""
    ),
    "saved_articles_newest": (
        "SELECT article_id FROM saved_articles WHERE user_id = 7"
        " ORDER BY saved_at DESC, article_id LIMIT 20"
    ),
    "search_history_user": (
        "SELECT id FROM search_history WHERE user_id = 7"
        " ORDER BY searched_at DESC, public_id LIMIT 20"
    ),
    "search_history_newest": (
        "SELECT id FROM search_history WHERE searched_at < '2026-01-01 01:00+00' LIMIT 1000"
    ),
    "saved_articles_article": "SELECT 1 FROM saved_articles WHERE article_id = 7",
    "identities_user": "SELECT 1 FROM identities WHERE user_id = 7",
}


@pytest.fixture
async def crowd(execute):
    """5,000 users with preferences, saves and searches.

    One in fifty prefers the Guardian, and user 7 has the most rows.
    """
    await execute(
        f"""INSERT INTO users (public_id, username, created_at, last_login_at)
            SELECT 'u_' || n, 'user', {MOMENT}, {MOMENT} FROM generate_series(1, 5000) AS n""",
        "INSERT INTO identities SELECT 'reddit', 'user' || n, n FROM generate_series(1, 5000) AS n",
        f"""INSERT INTO user_preferences SELECT n, key, value::jsonb, {MOMENT}
            FROM generate_series(1, 5000) AS n, LATERAL (VALUES
                ('preferred_sources',
                 CASE WHEN n % 50 = 0 THEN '["reddit", "guardian"]' ELSE '["reddit"]' END),
                ('topics', '["guardian"]'), ('sort', '"newest"')
            ) AS preference (key, value)""",
        """INSERT INTO articles (public_id, canonical_url, url, source, external_id, publisher,
               title, published_at, published_at_estimated, first_seen_at, fetched_at)
           SELECT 'a_' || n, 'u', 'u', 'guardian', 'e', 'p',
               't', '2026-01-01+00', false, '2026-01-01+00', '2026-01-01+00'
           FROM generate_series(1, 1000) AS n""",
        f"""INSERT INTO saved_articles SELECT u, a, NULL, timestamptz {MOMENT} + a * interval '1 s'
            FROM generate_series(1, 5000) AS u, generate_series(1, 1000) AS a
            WHERE u = 7 OR a % 100 = u % 100""",
        f"""INSERT INTO search_history (query, key, results_count, searched_at, user_id)
            SELECT 'q', 'k', 1, timestamptz {MOMENT} + n * interval '1 s',
                CASE WHEN n % 10 = 0 THEN 7 ELSE n % 5000 + 1 END
            FROM generate_series(1, 50000) AS n""",
        "ANALYZE",
    )


async def test_each_query_uses_its_index(crowd, fetch):
    """Each query has the name of its index. No plan scans a table sequentially or sorts."""
    for index, question in QUESTIONS.items():
        plan = json.dumps(json.loads((await fetch(f"EXPLAIN (FORMAT JSON) {question}"))[0][0]))
        assert f'"{index}"' in plan
        assert "Seq Scan" not in plan
        assert '"Sort"' not in plan
    assert len(await fetch(QUESTIONS["user_preferences_sources"])) == 100
