"""Create the marks by which people say that two articles are not the same story."""

from alembic import op

revision = "0014"
down_revision = "0013"

STATEMENTS = (
    """CREATE TABLE not_same_marks (
        user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        low_id bigint NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
        high_id bigint NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
        marked_at timestamptz NOT NULL
            CHECK (marked_at >= '2000-01-01+00' AND marked_at < '2200-01-01+00'),
        PRIMARY KEY (user_id, low_id, high_id),
        CHECK (low_id < high_id)
    )""",
    (
        "CREATE INDEX not_same_marks_newest ON not_same_marks "
        "(user_id, marked_at DESC, low_id, high_id)"
    ),
    # Each foreign key has an index that starts with it. Otherwise deleting the row that it refers
    # to would read the whole table.
    "CREATE INDEX not_same_marks_low ON not_same_marks (low_id)",
    "CREATE INDEX not_same_marks_high ON not_same_marks (high_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
