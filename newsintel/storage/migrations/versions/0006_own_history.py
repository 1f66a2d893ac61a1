"""A person's own history: add public ids of searches, and the time up to which they are cleared."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    # Only searches of signed-in people have one. Before this migration no search had a user.
    "ALTER TABLE search_history ADD COLUMN public_id text",
    # Searches are written some time after their answers. Searches from before this time are no
    # longer written.
    """ALTER TABLE users ADD COLUMN history_cleared_at timestamptz
       CHECK (history_cleared_at >= '2000-01-01+00' AND history_cleared_at < '2200-01-01+00')""",
    # Ties are ordered by the public id, because a page's cursor may contain it.
    "DROP INDEX search_history_user",
    (
        "CREATE INDEX search_history_user ON search_history "
        "(user_id, searched_at DESC, public_id) WHERE user_id IS NOT NULL"
    ),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
