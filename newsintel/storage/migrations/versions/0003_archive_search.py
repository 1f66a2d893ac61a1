"""Create the indexes of archive search.

One GIN index holds words, authors, sources, publishers and time; two more give the order by source
and by publisher.

Reads continue while the indexes are built. Writes wait about 20 s per million articles; the
persister's retries bridge this. The expressions here are those of the time of this migration;
`tags` and `conditions` in storage.postgres.archive had to repeat them exactly.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

SLOT = "floor(date_part('epoch', published_at AT TIME ZONE 'UTC') / 10800)::bigint"

FOUND = f"""
CREATE INDEX articles_found ON articles USING gin (
    search,
    to_tsvector('simple', left(coalesce(author, ''), 1000)),
    (ARRAY['s' || source, 'p' || lower(publisher),
           '0t' || ({SLOT} >> 0), '3t' || ({SLOT} >> 3),
           '6t' || ({SLOT} >> 6), '9t' || ({SLOT} >> 9)])
)
"""

STATEMENTS = (
    FOUND,
    # articles_found replaces it.
    "DROP INDEX articles_search",
    "CREATE INDEX articles_source ON articles (source, published_at DESC, public_id)",
    "CREATE INDEX articles_publisher ON articles (lower(publisher), published_at DESC, public_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
