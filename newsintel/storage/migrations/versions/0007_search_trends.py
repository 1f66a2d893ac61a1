"""Count searches by people: marks of open days, counts of closed days, lists made of them."""

from alembic import op

revision = "0007"
down_revision = "0006"

# The only trace of a person is the mark, an HMAC that differs by day and query
# (docs/decisions/0016).
TABLES = (
    """CREATE TABLE search_marks (
        query text NOT NULL CHECK (octet_length(query) BETWEEN 1 AND 512),
        day date NOT NULL CHECK (day >= '2000-01-01' AND day < '2200-01-01'),
        mark bytea NOT NULL CHECK (octet_length(mark) = 16),
        seen timestamptz NOT NULL CHECK (seen >= '2000-01-01+00' AND seen < '2200-01-01+00'),
        PRIMARY KEY (query, day, mark)
    )""",
    """CREATE TABLE search_days (
        query text NOT NULL CHECK (octet_length(query) BETWEEN 1 AND 512),
        day date NOT NULL CHECK (day >= '2000-01-01' AND day < '2200-01-01'),
        people integer NOT NULL CHECK (people > 0),
        PRIMARY KEY (query, day)
    )""",
    """CREATE TABLE pair_marks (
        low text NOT NULL CHECK (octet_length(low) BETWEEN 1 AND 512),
        high text NOT NULL CHECK (octet_length(high) BETWEEN 1 AND 512),
        day date NOT NULL CHECK (day >= '2000-01-01' AND day < '2200-01-01'),
        mark bytea NOT NULL CHECK (octet_length(mark) = 16),
        PRIMARY KEY (low, high, day, mark)
    )""",
    """CREATE TABLE pair_days (
        low text NOT NULL CHECK (octet_length(low) BETWEEN 1 AND 512),
        high text NOT NULL CHECK (octet_length(high) BETWEEN 1 AND 512),
        day date NOT NULL CHECK (day >= '2000-01-01' AND day < '2200-01-01'),
        people integer NOT NULL CHECK (people > 0),
        PRIMARY KEY (low, high, day)
    )""",
    """CREATE TABLE search_answers (
        query text PRIMARY KEY CHECK (octet_length(query) BETWEEN 1 AND 512),
        articles text[] NOT NULL CHECK (cardinality(articles) BETWEEN 1 AND 10),
        seen timestamptz NOT NULL CHECK (seen >= '2000-01-01+00' AND seen < '2200-01-01+00')
    )""",
    """CREATE TABLE trending (
        span text NOT NULL CHECK (span IN ('1h', '24h', '7d')),
        query text NOT NULL CHECK (octet_length(query) BETWEEN 1 AND 512),
        people integer NOT NULL CHECK (people > 0),
        usual double precision CHECK (usual >= 0),
        score double precision NOT NULL,
        PRIMARY KEY (span, query)
    )""",
    """CREATE TABLE trending_made (
        span text PRIMARY KEY CHECK (span IN ('1h', '24h', '7d')),
        at timestamptz NOT NULL CHECK (at >= '2000-01-01+00' AND at < '2200-01-01+00')
    )""",
)

INDEXES = (
    "CREATE INDEX search_marks_seen ON search_marks (seen)",
    "CREATE INDEX search_days_day ON search_days (day)",
    "CREATE INDEX pair_marks_high ON pair_marks (high)",
    "CREATE INDEX pair_marks_day ON pair_marks (day)",
    "CREATE INDEX pair_days_high ON pair_days (high)",
    "CREATE INDEX search_answers_articles ON search_answers USING gin (articles)",
)


def upgrade() -> None:
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
