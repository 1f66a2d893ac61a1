"""Let a story stay told when its articles go, and let later members of it alert on request.

A match lost its row with its article, so that a later member of the story alerted again. Now the
row stays, without an article, until another member of the story takes its place.

A story whose founder is deleted ends, and its members found others. `story_origins` says which
stories an article has been in, by its public id, so that a story that continues an earlier one can
be seen to have been told.
"""

from alembic import op

revision = "0019"
down_revision = "0018"

ON_REQUEST = """
ALTER TABLE saved_searches ADD COLUMN later_members boolean NOT NULL DEFAULT false
"""

# `later_of` is the `group_id` of the story's first match; a row with it is a later member, and its
# own `group_id` is its article. `outlet_key` is the plain name of the publisher that alerted.
MATCHES = """
ALTER TABLE search_matches
    ALTER COLUMN article_id DROP NOT NULL,
    DROP CONSTRAINT search_matches_article_id_fkey,
    ADD CONSTRAINT search_matches_article_id_fkey
        FOREIGN KEY (article_id) REFERENCES articles (id) ON DELETE SET NULL,
    ADD COLUMN outlet_key text,
    ADD COLUMN later_of bigint
"""

OUTLETS = """
UPDATE search_matches SET outlet_key = coalesce(publisher_key, publisher)
FROM articles WHERE articles.id = article_id
"""

# It refers to no article: it must outlive them. It is kept for 14 days.
ORIGINS = """
CREATE TABLE story_origins (
    public_id text NOT NULL,
    founder_id bigint NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (public_id, founder_id)
)
"""

# The functions run with their owner's rights, as those of earlier steps.
#
# A deleted member may come back, and the other members of a deleted founder found other stories: so
# each remembers the story, and what the founder remembers. If the article stood for a match, the
# other members are compared with the saved searches again, and one takes its place.
REMEMBER = """
CREATE FUNCTION remember_story() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    founder bigint := (SELECT founder_id FROM article_stories WHERE article_id = OLD.id);
BEGIN
    INSERT INTO story_origins (public_id, founder_id)
    SELECT member.public_id, origin
    FROM article_stories AS placed JOIN articles AS member ON member.id = placed.article_id
    CROSS JOIN (
        SELECT founder UNION ALL
        SELECT known.founder_id FROM story_origins AS known JOIN articles USING (public_id)
        WHERE articles.id = founder
    ) AS earlier (origin)
    WHERE placed.founder_id = founder AND OLD.id IN (founder, placed.article_id)
    ON CONFLICT DO NOTHING;

    IF EXISTS (SELECT FROM search_matches WHERE article_id = OLD.id) THEN
        INSERT INTO alert_queue
        SELECT placed.article_id
        FROM article_stories AS placed JOIN articles AS member ON member.id = placed.article_id
        WHERE placed.founder_id = founder AND placed.article_id <> OLD.id
            AND member.published_at > now() - interval '7 days'
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN OLD;
END
$$
"""

# An article alerts within seven days of its publication, and a story is told within three.
REMEMBERED = """
CREATE TRIGGER story_remembered BEFORE DELETE ON articles FOR EACH ROW
WHEN (OLD.published_at > now() - interval '14 days') EXECUTE FUNCTION remember_story()
"""

HAND_ON = """
CREATE FUNCTION hand_on_origins() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO story_origins (public_id, founder_id)
    SELECT founder.public_id, known.founder_id
    FROM fresh JOIN articles AS member ON member.id = fresh.article_id
    JOIN story_origins AS known ON known.public_id = member.public_id
    JOIN articles AS founder ON founder.id = fresh.founder_id
    WHERE fresh.article_id <> fresh.founder_id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$
"""

HANDED_ON = """
CREATE TRIGGER story_origins_handed_on AFTER INSERT ON article_stories
REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION hand_on_origins()
"""

STATEMENTS = (
    ON_REQUEST,
    MATCHES,
    OUTLETS,
    (
        "CREATE INDEX search_matches_later ON search_matches (saved_search_id, later_of) "
        "WHERE later_of IS NOT NULL"
    ),
    (
        "CREATE INDEX search_matches_vacant ON search_matches (saved_search_id, group_id) "
        "WHERE article_id IS NULL"
    ),
    ORIGINS,
    "CREATE INDEX story_origins_age ON story_origins USING brin (added_at)",
    REMEMBER,
    REMEMBERED,
    HAND_ON,
    HANDED_ON,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
