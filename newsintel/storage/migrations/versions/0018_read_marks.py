"""Create the marks of articles that people have read."""

from alembic import op

revision = "0018"
down_revision = "0017"

STATEMENTS = (
    """CREATE TABLE read_marks (
        user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        article_id bigint NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
        read_at timestamptz NOT NULL
            CHECK (read_at >= '2000-01-01+00' AND read_at < '2200-01-01+00'),
        PRIMARY KEY (user_id, article_id)
    )""",
    "CREATE INDEX read_marks_newest ON read_marks (user_id, read_at DESC, article_id)",
    # Deleting an article would read the whole table otherwise.
    "CREATE INDEX read_marks_article ON read_marks (article_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
