"""Add the country of an article's publisher, and which of GDELT's files were read.

The country is NULL where no source said it. A service of the version before reads and writes on.
"""

from alembic import op

revision = "0016"
down_revision = "0013"


def upgrade() -> None:
    op.execute("ALTER TABLE articles ADD COLUMN country text")
    op.execute(
        "CREATE TABLE gdelt_files ("
        " name text PRIMARY KEY,"
        " taken_until timestamptz NOT NULL,"
        " done_at timestamptz"
        ")"
    )
