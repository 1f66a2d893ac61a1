"""Add the address of the page where readers discuss an article.

It is NULL for the posts that an older version wrote, until they are fetched again. A service of the
version before reads and writes on; it keeps the address that it does not know.
"""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE articles ADD COLUMN discussion_url text")
