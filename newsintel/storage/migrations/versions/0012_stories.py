"""Group the archive's articles by story: across searches, sources and days.

Each article that is archived waits in `story_queue` until the grouper (storage.postgres.archive.
stories) has found its story. A trigger fills the queue, not the service, so that also an import, an
operator's INSERT and a process of an older version queue what they add. All articles of the
archive are queued now; the grouper works them off while the service runs.

Writes wait while the queue is filled, about 2 s per million articles.
"""

from alembic import op

revision = "0012"
down_revision = "0011"

# The founder of a story is its first article; `rule` and `similarity` are those of its match, NULL
# for the founder itself.
STORIES = """
CREATE TABLE article_stories (
    article_id bigint PRIMARY KEY REFERENCES articles ON DELETE CASCADE,
    founder_id bigint NOT NULL REFERENCES articles ON DELETE CASCADE,
    rule text,
    similarity double precision
)
"""

QUEUE = """
CREATE TABLE story_queue (
    article_id bigint PRIMARY KEY REFERENCES articles ON DELETE CASCADE
)
"""

# A key stands for a class of words of the founder's title and its time (domain.search.stories.
# keys). Keys are needed only while duplicates may come, so old ones are removed; the rows lie in
# the order of `added_at`, for which a BRIN index is enough.
KEYS = """
CREATE TABLE story_keys (
    key bigint NOT NULL,
    founder_id bigint NOT NULL REFERENCES articles ON DELETE CASCADE,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, founder_id)
)
"""

# They run with their owner's rights: a service under another role continues to save before that
# role is granted the new tables.
ADD = """
CREATE FUNCTION queue_new_articles() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO story_queue SELECT id FROM fresh ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$
"""

# If a founder is deleted, its story ends and the other members look for one again.
AGAIN = """
CREATE FUNCTION queue_members_again() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO story_queue
    SELECT id FROM articles WHERE id IN (SELECT article_id FROM gone) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$
"""

INSERTED = """
CREATE TRIGGER story_queue_insert AFTER INSERT ON articles REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION queue_new_articles()
"""

ENDED = """
CREATE TRIGGER story_queue_again AFTER DELETE ON article_stories REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION queue_members_again()
"""

STATEMENTS = (
    STORIES,
    "CREATE INDEX article_stories_founder ON article_stories (founder_id)",
    QUEUE,
    KEYS,
    "CREATE INDEX story_keys_founder ON story_keys (founder_id)",
    "CREATE INDEX story_keys_added ON story_keys USING brin (added_at)",
    ADD,
    AGAIN,
    INSERTED,
    ENDED,
    "INSERT INTO story_queue SELECT id FROM articles",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
