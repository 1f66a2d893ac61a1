"""Fills every table of a database with rows, and reads all back, without the code under test."""

import asyncpg

TEXT = "“Zürich” said: 東京 – עברית, n\u0303a \\N \\. 'x' \"y\"\tz\n👩\u200d👩\u200d👧"
"""Quotes, scripts, combining marks, and what ends or escapes a row of COPY."""

COLUMNS = """
SELECT table_name, column_name, data_type, udt_name FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'alembic_version'
AND is_generated = 'NEVER' AND is_identity = 'NO' ORDER BY table_name, ordinal_position
"""

RELATIONS = """
SELECT relname FROM pg_class WHERE relkind = $1 AND relnamespace = 'public'::regnamespace
"""

DEFINITIONS = {
    "index": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    # PostgreSQL 18 also lists NOT NULL.
    "constraint": "SELECT conrelid::regclass || pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE contype <> 'n' AND connamespace = 'public'::regnamespace",
    "trigger": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "function": "SELECT pg_get_functiondef(oid) FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace",
}

SPECIAL = {
    "rule": ("'title'", "'url'"),
    "scope": ("'read'", "'write'"),
    "shows": ("'saved'", "'archive'"),
    "reason": ("'hide'", "'less_like_this'"),
    "span": ("'1h'", "'7d'"),
    "digest": (f"'{'a' * 64}'", f"'{'b' * 64}'"),
    "mark": (r"'\x00112233445566778899aabbccddeeff'",) * 2,
    "user_id": ("1", "2"),
    "article_id": ("1", "2"),
    "founder_id": ("1", "1"),
    "low_id": ("1", "2"),
    "high_id": ("2", "3"),
    "similarity": ("0.1", "0.7"),
    "change": ("1", "-1"),
    "host": ("'a.example'", "'b.example:8080'"),
    "origin": ("'setting'", "'command'"),
    "country": ("'DE'", "NULL"),
    "language": ("'en'", "NULL"),
    "text_language": ("'en'", "'de'"),
    "every": ("'at_once'", "'day'"),
    "kind": ("'webhook'", "'email'"),
    "state": ("'pending'", "'delivered'"),
    "feed_digest": (f"'{'c' * 64}'", f"'{'d' * 64}'"),
    "saved_search_id": ("1", "2"),
    "group_id": ("1", "2"),
    "channel_id": ("1", "2"),
}
"""What the checks and keys of the schema ask of a column: its values in two rows."""


FIRST = [
    *("users", "articles", "saved_searches", "alert_channels", "search_matches"),
    "alert_deliveries",
]
"""The tables to which others refer, in an order in which they can be filled."""


def value(column, kind, row):
    """The SQL of a column's value in a row."""
    if column in SPECIAL:
        return SPECIAL[column][row % 2]
    quoted = TEXT.replace("'", "''")
    return {
        "text": f"'{row} {quoted}'",
        "bytea": rf"'\x0{row}ff'",
        "jsonb": f"'[{row}, \"ü\"]'",
        "date": f"'2026-01-0{row + 1}'",
        "timestamptz": f"'2026-01-0{row + 1} 00:00:00.000001+00'",
        "bool": "true",
        "tsvector": f"'word:{row + 1}A'",
        "_text": "ARRAY['a', 'ü']",
        "_int8": "'{1, -2}'",
        "float8": f"{row + 0.1}",
    }.get(kind, str(row + 1))


async def fill(url):
    """Insert three rows into every table, those first to which others refer."""
    connection = await asyncpg.connect(url)
    try:
        tables = {}
        for table, column, _, kind in await connection.fetch(COLUMNS):
            tables.setdefault(table, []).append((column, kind))
        waiting = sorted(tables, key=lambda table: FIRST.index(table) if table in FIRST else 99)
        for table in waiting:
            names = ", ".join(name for name, _ in tables[table])
            for row in range(3):
                values = ", ".join(value(name, kind, row) for name, kind in tables[table])
                await connection.execute(
                    f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608
                    " ON CONFLICT DO NOTHING"
                )
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio runs it


async def read_everything(url):
    """The rows of every table as text, the state of every sequence, and all definitions."""
    connection = await asyncpg.connect(url)
    try:
        found = {}
        for kind, pick in (("r", "o::text"), ("S", "o.last_value || ' ' || o.is_called")):
            for (name,) in await connection.fetch(RELATIONS, kind.encode()):
                query = f"SELECT {pick} FROM {name} o ORDER BY 1"  # noqa: S608
                found[kind, name] = [row[0] for row in await connection.fetch(query)]
        for kind, query in DEFINITIONS.items():
            found[kind, ""] = sorted(row[0] for row in await connection.fetch(query))
        return found
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio runs it
