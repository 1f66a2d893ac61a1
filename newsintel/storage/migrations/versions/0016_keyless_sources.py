"""Add publishers' countries, checks of articles at their sources, and GDELT's files.

The country is NULL where no source said it. A service of the version before reads and writes on.

Reddit and the Guardian require that archived items are checked: `article_checks` says when an
article is due. A trigger fills it, not the service, so that also an import and a process of an
older version enter what they add. Articles that exist already are due now.
"""

from alembic import op

revision = "0016"
down_revision = "0015"


CHECKS = """
CREATE TABLE article_checks (
    article_id bigint PRIMARY KEY REFERENCES articles ON DELETE CASCADE,
    source text NOT NULL,
    due_at timestamptz NOT NULL
)
"""

# It runs with its owner's rights: a service under another role continues to save before that role
# is granted the new table.
ADD = """
CREATE FUNCTION queue_article_checks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO article_checks (article_id, source, due_at)
    SELECT id, source, now() + interval '1 day' FROM fresh WHERE source IN ('guardian', 'reddit')
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$
"""

INSERTED = """
CREATE TRIGGER article_checks_insert AFTER INSERT ON articles REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION queue_article_checks()
"""

EXISTING = """
INSERT INTO article_checks
SELECT id, source, now() FROM articles WHERE source IN ('guardian', 'reddit')
"""

# `taken_until`: a process reads the file until then; `done_at`: its articles are archived.
FILES = """
CREATE TABLE gdelt_files (
    name text PRIMARY KEY,
    taken_until timestamptz NOT NULL,
    done_at timestamptz
)
"""

STATEMENTS = (
    "ALTER TABLE articles ADD COLUMN country text",
    CHECKS,
    "CREATE INDEX article_checks_due ON article_checks (source, due_at)",
    ADD,
    INSERTED,
    EXISTING,
    FILES,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
