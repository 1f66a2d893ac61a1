"""Create private feeds: secret addresses at which an account's lists can be read."""

from alembic import op

revision = "0013"
down_revision = "0012"

# As for API keys, only the SHA-256 of an address's 256 random bits is stored.
FEEDS = """
CREATE TABLE private_feeds (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text NOT NULL UNIQUE,
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest text NOT NULL UNIQUE CHECK (char_length(digest) = 64),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    shows text NOT NULL CHECK (shows IN ('saved', 'archive')),
    q text CHECK (char_length(q) BETWEEN 1 AND 256),
    created_at timestamptz NOT NULL
        CHECK (created_at >= '2000-01-01+00' AND created_at < '2200-01-01+00')
)
"""


def upgrade() -> None:
    op.execute(FEEDS)
    op.execute("CREATE INDEX private_feeds_user ON private_feeds (user_id)")
