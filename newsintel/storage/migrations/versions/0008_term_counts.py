"""In how many articles each word occurs, kept up to date: what makes a word telling is that few have it.

Counting a word in the transaction that brings an article would have all of them wait for each other at the commonest words. So triggers
only note which texts came, went or changed, and the term counter adds notes up, many at a time. They are triggers and not the service's
own statements so that whatever writes articles, an import or an operator's DELETE included, is noted by it, once and in its transaction.

Writing waits while the words that are there are counted, some 10 s per million articles, and the persister's retries bridge it.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

# The empty lexeme, which no text has: its number is that of all articles counted. Room on each page lets most updates stay on it.
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

# With its owner's rights: a service that runs under another role goes on saving while this step is taken, before its role is granted the
# new tables. PostgreSQL knows the old and new rows of a statement under the names that the triggers give them.
NOTE = """
CREATE FUNCTION note_term_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO term_changes (search, change) SELECT search, 1 FROM fresh;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO term_changes (search, change) SELECT search, -1 FROM gone;
    ELSE
        INSERT INTO term_changes (search, change)
        SELECT side.search, side.change
        FROM gone JOIN fresh USING (id) CROSS JOIN LATERAL (VALUES (gone.search, -1), (fresh.search, 1)) AS side (search, change)
        WHERE gone.search <> fresh.search;
    END IF;
    RETURN NULL;
END
$$
"""

TRIGGER = """
CREATE TRIGGER article_terms_{event} AFTER {event} ON articles {tables} FOR EACH STATEMENT EXECUTE FUNCTION note_term_changes()
"""

COUNT = """
INSERT INTO article_terms (lexeme, articles)
SELECT word, ndoc FROM ts_stat('SELECT search FROM articles') UNION ALL SELECT '', count(*) FROM articles
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
