"""Create articles, their duplicates, articles that could not be saved, and the search history."""

from alembic import op

revision = "0001"
down_revision = None

# The date checks refuse what Python cannot read back: one row of the year 20000 would break every
# list that contains it. 1800 is before the oldest article of any newspaper archive that we search
# (The Guardian was founded in 1821). Only the index uses cut texts: a tsvector over 1 MiB is an
# error, and words of three letters take at most 8 bytes a letter.
ARTICLES = """
CREATE TABLE articles (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text NOT NULL UNIQUE,
    canonical_url text NOT NULL,
    url text NOT NULL,
    source text NOT NULL,
    external_id text NOT NULL,
    publisher text NOT NULL,
    title text NOT NULL,
    description text,
    content text,
    author text,
    section text,
    image_url text,
    language text,
    published_at timestamptz NOT NULL
        CHECK (published_at >= '1800-01-01+00' AND published_at < '2200-01-01+00'),
    published_at_estimated boolean NOT NULL,
    points integer,
    comments integer,
    first_seen_at timestamptz NOT NULL
        CHECK (first_seen_at >= '2000-01-01+00' AND first_seen_at < '2200-01-01+00'),
    fetched_at timestamptz NOT NULL
        CHECK (fetched_at >= first_seen_at AND fetched_at < '2200-01-01+00'),
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', left(title, 2000)), 'A')
        || setweight(to_tsvector('english', left(coalesce(description, ''), 10000)), 'B')
        || setweight(to_tsvector('english', left(coalesce(content, ''), 100000)), 'C')
    ) STORED,
    CHECK ((points IS NULL) = (comments IS NULL))
)
"""

DUPLICATES = """
CREATE TABLE article_duplicates (
    low_id bigint NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    high_id bigint NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    rule text NOT NULL CHECK (rule IN ('url', 'title', 'near_title')),
    similarity double precision NOT NULL CHECK (similarity BETWEEN 0 AND 1),
    PRIMARY KEY (low_id, high_id),
    CHECK (low_id < high_id)
)
"""

# The article is JSON in plain ASCII, in a text column: jsonb refuses the same characters because of
# which an article is here.
DEAD_LETTERS = """
CREATE TABLE dead_letters (
    public_id text PRIMARY KEY,
    reason text NOT NULL,
    article text NOT NULL,
    buried_at timestamptz NOT NULL DEFAULT now()
)
"""

SEARCH_HISTORY = """
CREATE TABLE search_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    query text NOT NULL,
    key text NOT NULL,
    results_count integer NOT NULL,
    searched_at timestamptz NOT NULL
        CHECK (searched_at >= '2000-01-01+00' AND searched_at < '2200-01-01+00')
)
"""

INDEXES = (
    "CREATE INDEX articles_search ON articles USING gin (search)",
    "CREATE INDEX articles_newest ON articles (published_at DESC, public_id)",
    "CREATE INDEX article_duplicates_high ON article_duplicates (high_id)",
    "CREATE INDEX search_history_newest ON search_history (searched_at DESC)",
)


def upgrade() -> None:
    for statement in (ARTICLES, DUPLICATES, DEAD_LETTERS, SEARCH_HISTORY, *INDEXES):
        op.execute(statement)
