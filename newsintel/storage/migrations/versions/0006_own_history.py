"""A person's own history: searches that can be named from outside, and the moment up to which a person has cleared them."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    # Of searches by somebody who was signed in; nobody ever names the others. No search had a user before this step.
    "ALTER TABLE search_history ADD COLUMN public_id text",
    # Searches are written some time after they were answered. Those from before this moment are not written any more.
    """ALTER TABLE users ADD COLUMN history_cleared_at timestamptz
       CHECK (history_cleared_at >= '2000-01-01+00' AND history_cleared_at < '2200-01-01+00')""",
    # Ties by the public id, which is what a page's cursor may hold.
    "DROP INDEX search_history_user",
    "CREATE INDEX search_history_user ON search_history (user_id, searched_at DESC, public_id) WHERE user_id IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
