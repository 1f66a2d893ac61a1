"""Create accounts, preferences and saved articles; add the account to searches."""

from alembic import op

revision = "0002"
down_revision = "0001"

USERS = """
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text NOT NULL UNIQUE,
    username text NOT NULL CHECK (char_length(username) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL
        CHECK (created_at >= '2000-01-01+00' AND created_at < '2200-01-01+00'),
    last_login_at timestamptz NOT NULL
        CHECK (last_login_at >= '2000-01-01+00' AND last_login_at < '2200-01-01+00')
)
"""

# How a provider identifies a person. A user name is not unique: two providers may each have an
# `alice`. A provider never gives a subject to another person. OpenID Connect limits it to 255
# characters (Core 1.0, section 2) and makes it unique within one issuer, so the provider column
# also names the issuer.
IDENTITIES = """
CREATE TABLE identities (
    provider text NOT NULL CHECK (char_length(provider) BETWEEN 1 AND 500),
    subject text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 255),
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (provider, subject)
)
"""

# The size is measured as PostgreSQL writes the value: with a space after each comma and colon.
PREFERENCES = """
CREATE TABLE user_preferences (
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 100),
    value jsonb NOT NULL CHECK (octet_length(value::text) <= 4096),
    updated_at timestamptz NOT NULL
        CHECK (updated_at >= '2000-01-01+00' AND updated_at < '2200-01-01+00'),
    PRIMARY KEY (user_id, key)
)
"""

SAVED = """
CREATE TABLE saved_articles (
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    article_id bigint NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    notes text CHECK (char_length(notes) <= 10000),
    saved_at timestamptz NOT NULL
        CHECK (saved_at >= '2000-01-01+00' AND saved_at < '2200-01-01+00'),
    UNIQUE (user_id, article_id)
)
"""

# NULL is a search without a signed-in person, and every search from before accounts existed.
WHOSE_SEARCH = (
    "ALTER TABLE search_history ADD COLUMN user_id bigint REFERENCES users (id) ON DELETE CASCADE"
)

# Each foreign key has an index that starts with it. Otherwise deleting the row that it refers to
# would read the whole table. Retention uses search_history_newest (searched_at) of 0001.
INDEXES = (
    "CREATE INDEX identities_user ON identities (user_id)",
    # For queries across users, such as who prefers the Guardian:
    # WHERE key = 'preferred_sources' AND value @> '["guardian"]'
    (
        "CREATE INDEX user_preferences_sources ON user_preferences "
        "USING gin (value jsonb_path_ops) WHERE key = 'preferred_sources'"
    ),
    "CREATE INDEX saved_articles_newest ON saved_articles (user_id, saved_at DESC, article_id)",
    "CREATE INDEX saved_articles_article ON saved_articles (article_id)",
    (
        "CREATE INDEX search_history_user ON search_history "
        "(user_id, searched_at DESC, id DESC) WHERE user_id IS NOT NULL"
    ),
)


def upgrade() -> None:
    for statement in (USERS, IDENTITIES, PREFERENCES, SAVED, WHOSE_SEARCH, *INDEXES):
        op.execute(statement)
