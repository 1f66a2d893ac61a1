"""The words of articles as newsintel reads them: PostgreSQL's parser glued dashes and quotation marks to words, and took names for hosts.

`search` keeps what it holds, but is written by newsintel from now on (storage.postgres.indexing). `newsintel migrate` then reads the texts
of all articles again, batch by batch beside everything else, the latest first: a search finds those that have been read. A service of
the version before goes on writing and reading until it is replaced; what it writes meanwhile is read within a minute.

This step builds the index again: reading and writing wait for some 20 s per million articles.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

SLOT = "floor(date_part('epoch', published_at AT TIME ZONE 'UTC') / 10800)::bigint"

FOUND = f"""
CREATE INDEX articles_found ON articles USING gin (
    search,
    (ARRAY['s' || source, 'p' || publisher_key,
           '0t' || ({SLOT} >> 0), '3t' || ({SLOT} >> 3), '6t' || ({SLOT} >> 6), '9t' || ({SLOT} >> 9)])
) WITH (gin_pending_list_limit = 256)
"""

STATEMENTS = (
    "ALTER TABLE articles ALTER COLUMN search DROP EXPRESSION",
    "ALTER TABLE articles ALTER COLUMN search SET DEFAULT ''",
    # Beside its article: ranking reads hundreds, and a long row would put this first into another table. Its texts go there instead.
    "ALTER TABLE articles ALTER COLUMN search SET STORAGE MAIN",
    # The language by whose rules the words were read: ISO 639-1, '' = word by word, NULL = they are still to be read.
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
