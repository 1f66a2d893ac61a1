"""Create API keys, and the tokens that providers gave for an account."""

from alembic import op

revision = "0005"
down_revision = "0004"

# Only the SHA-256 of a key is stored. A key is 256 random bits, so nobody can find it from the
# digest.
API_KEYS = """
CREATE TABLE api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text NOT NULL UNIQUE,
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest text NOT NULL UNIQUE CHECK (char_length(digest) = 64),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    scope text NOT NULL CHECK (scope IN ('read', 'write')),
    created_at timestamptz NOT NULL
        CHECK (created_at >= '2000-01-01+00' AND created_at < '2200-01-01+00'),
    expires_at timestamptz CHECK (expires_at >= '2000-01-01+00' AND expires_at < '2200-01-01+00'),
    last_used_at timestamptz
        CHECK (last_used_at >= '2000-01-01+00' AND last_used_at < '2200-01-01+00')
)
"""

# Both tokens are encrypted; each value names the key that encrypted it (docs/decisions/0013).
TOKENS = """
CREATE TABLE provider_tokens (
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider text NOT NULL CHECK (char_length(provider) BETWEEN 1 AND 500),
    access_token bytea NOT NULL,
    refresh_token bytea,
    expires_at timestamptz NOT NULL
        CHECK (expires_at >= '2000-01-01+00' AND expires_at < '2200-01-01+00'),
    PRIMARY KEY (user_id, provider)
)
"""

INDEXES = ("CREATE INDEX api_keys_user ON api_keys (user_id)",)


def upgrade() -> None:
    for statement in (API_KEYS, TOKENS, *INDEXES):
        op.execute(statement)
