"""Let newsintel split texts into words, instead of PostgreSQL's parser.

The parser joined dashes and quotation marks to words, and took names for hosts. `search` keeps its
content, but from now on newsintel writes it (storage.postgres.archive.indexing). Then `newsintel
migrate` indexes all articles again, in batches while the service runs, the latest first: a search
finds the articles that are already indexed. A service of the version before still reads and writes
until it is replaced; the articles that it writes meanwhile are indexed within a minute.

This migration builds the index again: reads and writes wait about 20 s per million articles.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

SLOT = "floor(date_part('epoch', published_at AT TIME ZONE 'UTC') / 10800)::bigint"

FOUND = f"""
CREATE INDEX articles_found ON articles USING gin (
    search,
    (ARRAY['s' || source, 'p' || publisher_key,
           '0t' || ({SLOT} >> 0), '3t' || ({SLOT} >> 3),
           '6t' || ({SLOT} >> 6), '9t' || ({SLOT} >> 9)])
) WITH (gin_pending_list_limit = 256)
"""

STATEMENTS = (
    "ALTER TABLE articles ALTER COLUMN search DROP EXPRESSION",
    "ALTER TABLE articles ALTER COLUMN search SET DEFAULT ''",
    # MAIN keeps `search` in the article's row, because ranking reads hundreds. In a long row
    # PostgreSQL would move it to the TOAST table first; now it moves the texts instead.
    "ALTER TABLE articles ALTER COLUMN search SET STORAGE MAIN",
    # text_language is the language whose rules split the words: ISO 639-1, '' = word by word, NULL
    # = not indexed yet.
    "ALTER TABLE articles ADD COLUMN text_language text, ADD COLUMN publisher_key text",
    "DROP INDEX articles_found",
    "DROP INDEX articles_publisher",
    FOUND,
    "CREATE INDEX articles_publisher ON articles (publisher_key, published_at DESC, public_id)",
    "CREATE INDEX articles_text_language ON articles (text_language)",
    "CREATE INDEX articles_unread ON articles (id) WHERE text_language IS NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
