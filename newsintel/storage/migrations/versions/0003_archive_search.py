"""What archive search needs: one GIN index for words, authors, sources, publishers and time, and the orders by source and publisher.

Reading goes on while the indexes are built; writing waits, some 20 s per million articles, and the persister's retries bridge it. The
expressions stand here as they were when this step was made: `tags` and `conditions` in storage.postgres repeat them to the letter.
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
           '0t' || ({SLOT} >> 0), '3t' || ({SLOT} >> 3), '6t' || ({SLOT} >> 6), '9t' || ({SLOT} >> 9)])
)
"""

STATEMENTS = (
    FOUND,
    # It answers all that this one did.
    "DROP INDEX articles_search",
    "CREATE INDEX articles_source ON articles (source, published_at DESC, public_id)",
    "CREATE INDEX articles_publisher ON articles (lower(publisher), published_at DESC, public_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
