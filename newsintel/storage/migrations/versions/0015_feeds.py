"""Create feeds: what is polled, when, and what came of it; and the hosts, which are leased."""

from alembic import op

revision = "0015"
down_revision = "0014"

# A lease is a random text. While one runs, `free_at` is its end; so the lease of a process that
# ended is over by itself.
HOSTS = """
CREATE TABLE feed_hosts (
    host text PRIMARY KEY CHECK (char_length(host) BETWEEN 1 AND 300),
    free_at timestamptz NOT NULL,
    lease text
)
"""

FEEDS = """
CREATE TABLE feeds (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    address text NOT NULL UNIQUE CHECK (char_length(address) BETWEEN 1 AND 2048),
    url text NOT NULL CHECK (char_length(url) BETWEEN 1 AND 2048),
    host text NOT NULL REFERENCES feed_hosts (host) ON DELETE CASCADE,
    origin text NOT NULL CHECK (origin IN ('setting', 'command')),
    removed boolean NOT NULL DEFAULT false,
    publisher text,
    language text CHECK (language ~ '^[a-z]{2}$'),
    country text CHECK (country ~ '^[A-Z]{2}$'),
    licence text,
    state_media boolean NOT NULL DEFAULT false,
    title text,
    etag text NOT NULL DEFAULT '',
    last_modified text NOT NULL DEFAULT '',
    digest text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'waiting',
    reason text,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    items integer,
    rhythm_s double precision NOT NULL DEFAULT 0,
    newest_at timestamptz,
    polled_at timestamptz,
    answered_at timestamptz,
    next_at timestamptz
)
"""


def upgrade() -> None:
    op.execute(HOSTS)
    op.execute(FEEDS)
    op.execute("CREATE INDEX feeds_next ON feeds (next_at) WHERE NOT removed")
    op.execute("CREATE INDEX feeds_host ON feeds (host)")
