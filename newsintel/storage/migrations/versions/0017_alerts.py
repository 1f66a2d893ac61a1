"""Create saved searches, their channels, what they matched, and the outbox of alerts.

Each article that is archived waits in `alert_queue` until the matcher (storage.postgres.alerts.
matching) has found the saved searches that it matches. A trigger fills the queue, not the service,
so that also an import and a process of an older version queue what they add. An article whose words
change waits again. Articles that were published more than a week before are not queued: an alert
tells news.

Articles that exist already do not alert.
"""

from alembic import op

revision = "0017"
down_revision = "0016"

# `query` is what the person asked for: {"q", "sources", "publisher", "language"}. Only articles
# that were first seen since `watching_since` alert.
SEARCHES = """
CREATE TABLE saved_searches (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text NOT NULL UNIQUE,
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    query jsonb NOT NULL,
    every text NOT NULL CHECK (every IN ('at_once', 'hour', 'day')),
    time_zone text NOT NULL,
    paused boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
        CHECK (created_at >= '2000-01-01+00' AND created_at < '2200-01-01+00'),
    changed_at timestamptz NOT NULL,
    watching_since timestamptz NOT NULL
)
"""

# A key is the hash of a lexeme, publisher or source (domain.alerts.anchors). An article that
# matches the search has one of its keys, and all that this key requires.
ANCHORS = """
CREATE TABLE search_anchors (
    key bigint NOT NULL,
    saved_search_id bigint NOT NULL REFERENCES saved_searches (id) ON DELETE CASCADE,
    required bigint[] NOT NULL,
    PRIMARY KEY (key, saved_search_id)
)
"""

# A feed has no address here, only the SHA-256 of its secret; a webhook has signing keys, sealed
# with SECRET_KEYS. `confirmed_at`: the owner of an e-mail address wants the alerts; before that, it
# only gets mails that ask. `disabled_at`: nothing is sent any more.
CHANNELS = """
CREATE TABLE alert_channels (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    saved_search_id bigint NOT NULL REFERENCES saved_searches (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('webhook', 'feed', 'email', 'ntfy', 'apprise')),
    address text NOT NULL CHECK (char_length(address) <= 2048),
    feed_digest text UNIQUE CHECK (char_length(feed_digest) = 64),
    sealed_keys bytea,
    confirmed_at timestamptz,
    disabled_at timestamptz,
    disabled_reason text,
    failing_since timestamptz,
    last_delivered_at timestamptz,
    UNIQUE (saved_search_id, kind, address)
)
"""

QUEUE = """
CREATE TABLE alert_queue (
    article_id bigint PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE
)
"""

# `group_id` is the id of the story's founder when it matched. It does not refer to the article: if
# the founder is deleted, the match stays, and its story is that of `article_id`.
MATCHES = """
CREATE TABLE search_matches (
    saved_search_id bigint NOT NULL REFERENCES saved_searches (id) ON DELETE CASCADE,
    group_id bigint NOT NULL,
    article_id bigint NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    matched_at timestamptz NOT NULL,
    PRIMARY KEY (saved_search_id, group_id)
)
"""

# The outbox. `id` is the receiver's webhook-id and the same in every attempt. A digest collects
# matches until `due_at`. While `claimed_until` lies ahead, one process sends it.
DELIVERIES = """
CREATE TABLE alert_deliveries (
    id text PRIMARY KEY,
    channel_id bigint NOT NULL REFERENCES alert_channels (id) ON DELETE CASCADE,
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'delivered', 'failed', 'cancelled')),
    is_test boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    claimed_until timestamptz
)
"""

DELIVERED = """
CREATE TABLE alert_delivery_matches (
    delivery_id text NOT NULL REFERENCES alert_deliveries (id) ON DELETE CASCADE,
    saved_search_id bigint NOT NULL,
    group_id bigint NOT NULL,
    PRIMARY KEY (delivery_id, group_id),
    FOREIGN KEY (saved_search_id, group_id)
        REFERENCES search_matches (saved_search_id, group_id) ON DELETE CASCADE
)
"""

ATTEMPTS = """
CREATE TABLE alert_attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id text NOT NULL REFERENCES alert_deliveries (id) ON DELETE CASCADE,
    attempted_at timestamptz NOT NULL,
    outcome text NOT NULL,
    status_code integer,
    detail text NOT NULL,
    latency_ms integer NOT NULL
)
"""

# It runs with its owner's rights: a service under another role continues to save before that role
# is granted the new tables.
ADD = """
CREATE FUNCTION queue_articles_for_alerts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO alert_queue SELECT id FROM fresh
        WHERE published_at > now() - interval '7 days' ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO alert_queue SELECT fresh.id FROM gone JOIN fresh USING (id)
        WHERE gone.search <> fresh.search AND fresh.published_at > now() - interval '7 days'
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$
"""

TRIGGER = """
CREATE TRIGGER alert_queue_{event} AFTER {event} ON articles REFERENCING {tables}
FOR EACH STATEMENT EXECUTE FUNCTION queue_articles_for_alerts()
"""

STATEMENTS = (
    SEARCHES,
    "CREATE INDEX saved_searches_user ON saved_searches (user_id)",
    ANCHORS,
    "CREATE INDEX search_anchors_search ON search_anchors (saved_search_id)",
    CHANNELS,
    QUEUE,
    MATCHES,
    (
        "CREATE INDEX search_matches_newest ON search_matches "
        "(saved_search_id, matched_at DESC, group_id DESC)"
    ),
    "CREATE INDEX search_matches_article ON search_matches (article_id, saved_search_id)",
    "CREATE INDEX search_matches_age ON search_matches USING brin (matched_at)",
    DELIVERIES,
    "CREATE INDEX alert_deliveries_due ON alert_deliveries (due_at) WHERE state = 'pending'",
    "CREATE INDEX alert_deliveries_channel ON alert_deliveries (channel_id, created_at DESC)",
    DELIVERED,
    (
        "CREATE INDEX alert_delivery_matches_match ON alert_delivery_matches "
        "(saved_search_id, group_id)"
    ),
    ATTEMPTS,
    "CREATE INDEX alert_attempts_delivery ON alert_attempts (delivery_id)",
    ADD,
    TRIGGER.format(event="insert", tables="NEW TABLE AS fresh"),
    TRIGGER.format(event="update", tables="OLD TABLE AS gone NEW TABLE AS fresh"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
