"""The diagram and the indexes of docs/schema.md are those of a migrated database."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "schema.md"
SHORT = {
    "timestamp with time zone": "timestamptz",
    "double precision": "double",
}
"""Names in the diagram for types of several words, which mermaid cannot read."""

COLUMNS = """
SELECT table_name, column_name,
    CASE data_type WHEN 'ARRAY' THEN ltrim(udt_name, '_') || '_array' ELSE data_type END
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> 'alembic_version'
ORDER BY table_name, ordinal_position
"""
FOREIGN_KEYS = """
SELECT parent.relname, child.relname, attname, confdeltype::text FROM pg_constraint
JOIN pg_class AS parent ON parent.oid = confrelid
JOIN pg_class AS child ON child.oid = conrelid
JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY(conkey)
WHERE contype = 'f'
"""
INDEXES = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
SHOWN_AS_KEYS = {
    "alembic_version_pkc", "articles_pkey", "article_duplicates_pkey", "dead_letters_pkey",
    "users_pkey", "users_public_id_key",
    "search_marks_pkey", "search_days_pkey", "pair_marks_pkey", "pair_days_pkey",
    "search_answers_pkey", "trending_pkey",
    "trending_made_pkey",
    "article_stories_pkey", "story_queue_pkey", "story_keys_pkey",
    "article_checks_pkey", "gdelt_files_pkey",
    "article_terms_pkey", "term_changes_pkey",
    "user_preferences_pkey", "search_history_pkey", "api_keys_pkey", "api_keys_public_id_key",
    "private_feeds_pkey", "private_feeds_public_id_key",
    "provider_tokens_pkey", "feed_hosts_pkey", "feeds_pkey",
    "not_same_marks_pkey", "read_marks_pkey",
    "saved_searches_pkey", "saved_searches_public_id_key", "search_anchors_pkey",
    "alert_channels_pkey", "alert_queue_pkey", "search_matches_pkey", "alert_deliveries_pkey",
    "alert_delivery_matches_pkey", "alert_attempts_pkey", "story_origins_pkey",
}  # fmt: skip
"""The diagram shows these as PK and UK; the first one is Alembic's."""


async def test_diagram_has_exactly_the_tables_and_columns(fetch):
    """The types are compared too."""
    drawn = [
        (table, column, kind)
        for table, body in re.findall(
            r"^    (\w+) \{\n(.*?)^    \}", PAGE.read_text(), re.DOTALL | re.MULTILINE
        )
        for kind, column in re.findall(r"^ {8}(\w+) (\w+)", body, re.MULTILINE)
    ]
    real = [(table, column, SHORT.get(kind, kind)) for table, column, kind in await fetch(COLUMNS)]
    assert sorted(table for table, *_ in drawn) == sorted(table for table, *_ in real)
    assert sorted(drawn) == sorted(real)


async def test_diagram_has_every_foreign_key(fetch):
    """All but one cascade on delete, as the page says."""
    keys = await fetch(FOREIGN_KEYS)
    assert set(
        re.findall(r"^    (\w+) \S+--\S+ (\w+) : (\w+)$", PAGE.read_text(), re.MULTILINE)
    ) == {key[:3] for key in keys}
    kept = ("articles", "search_matches", "article_id", "n")
    assert {key for key in keys if key[3] != "c"} == {kept}


async def test_page_names_every_index(fetch):
    """An index without an explanation should be dropped."""
    named = set(re.findall(r"^\| `(\w+)`", PAGE.read_text(), re.MULTILINE))
    assert named == {index for (index,) in await fetch(INDEXES)} - SHOWN_AS_KEYS
