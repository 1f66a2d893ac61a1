"""Create opened and dismissed articles.

Recommendations follow from these and from saves, searches and preferences.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    """CREATE TABLE opened_articles (
        user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        article_id bigint NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
        opened_at timestamptz NOT NULL
            CHECK (opened_at >= '2000-01-01+00' AND opened_at < '2200-01-01+00'),
        UNIQUE (user_id, article_id)
    )""",
    """CREATE TABLE dismissed_articles (
        user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        article_id bigint NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
        reason text NOT NULL CHECK (reason IN ('hide', 'less_like_this')),
        dismissed_at timestamptz NOT NULL
            CHECK (dismissed_at >= '2000-01-01+00' AND dismissed_at < '2200-01-01+00'),
        UNIQUE (user_id, article_id)
    )""",
    "CREATE INDEX opened_articles_newest ON opened_articles (user_id, opened_at DESC, article_id)",
    (
        "CREATE INDEX dismissed_articles_newest ON dismissed_articles "
        "(user_id, dismissed_at DESC, article_id)"
    ),
    # Each foreign key has an index that starts with it. Otherwise deleting the row that it refers
    # to would read the whole table.
    "CREATE INDEX opened_articles_article ON opened_articles (article_id)",
    "CREATE INDEX dismissed_articles_article ON dismissed_articles (article_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
