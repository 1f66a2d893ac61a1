"""Count the articles that contain each word. A word is significant if few articles contain it.

If the transaction that writes an article also counted its words, transactions would block each
other at the most common words. So triggers only record which texts were added, deleted or changed,
and the term counter adds these records up in batches. They are triggers, not statements of the
service, so that every write is recorded once and in its own transaction: also an import or an
operator's DELETE.

Writes wait while the existing words are counted, about 10 s per million articles; the persister's
retries bridge this.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

# The empty lexeme, which no text contains, counts all articles. Free space on each page
# (fillfactor) lets most updates stay on their page.
TERMS = """
CREATE TABLE article_terms (
    lexeme text PRIMARY KEY,
    articles bigint NOT NULL
) WITH (fillfactor = 70)
"""

CHANGES = """
CREATE TABLE term_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    search tsvector NOT NULL,
    change smallint NOT NULL CHECK (change IN (-1, 1))
)
"""

# It runs with its owner's rights: a service under another role continues to save before that role
# is granted the new tables. The triggers name the old and new rows of a statement (`gone`,
# `fresh`).
NOTE = """
CREATE FUNCTION note_term_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO term_changes (search, change) SELECT search, 1 FROM fresh;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO term_changes (search, change) SELECT search, -1 FROM gone;
    ELSE
        INSERT INTO term_changes (search, change)
        SELECT side.search, side.change
        FROM gone JOIN fresh USING (id)
        CROSS JOIN LATERAL (VALUES (gone.search, -1), (fresh.search, 1)) AS side (search, change)
        WHERE gone.search <> fresh.search;
    END IF;
    RETURN NULL;
END
$$
"""

TRIGGER = """
CREATE TRIGGER article_terms_{event} AFTER {event} ON articles {tables}
FOR EACH STATEMENT EXECUTE FUNCTION note_term_changes()
"""

COUNT = """
INSERT INTO article_terms (lexeme, articles)
SELECT word, ndoc FROM ts_stat('SELECT search FROM articles')
UNION ALL SELECT '', count(*) FROM articles
"""

STATEMENTS = (
    TERMS,
    CHANGES,
    NOTE,
    TRIGGER.format(event="insert", tables="REFERENCING NEW TABLE AS fresh"),
    TRIGGER.format(event="update", tables="REFERENCING OLD TABLE AS gone NEW TABLE AS fresh"),
    TRIGGER.format(event="delete", tables="REFERENCING OLD TABLE AS gone"),
    COUNT,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
