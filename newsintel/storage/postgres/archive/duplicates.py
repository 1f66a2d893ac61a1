"""The duplicates of archived articles: the other members of their stories.

A story may have thousands of members, so each statement reads rows in proportion to the articles
that it is asked about, and the articles of a bounded number of members.
"""

from newsintel.domain.search.article import ArchivedArticle, Member, Rule
from newsintel.storage.postgres.archive.article_rows import ARTICLE_COLUMNS, LISTED, article_of
from newsintel.storage.postgres.pool import Connection

MOST_DUPLICATES = 100
"""Most duplicates that are listed for an article, the earliest first."""

MOST_MEMBERS = 1_000
"""Most members of a story that are compared: the leader is chosen among the earliest, and a person
has seen a story after one of the newest."""

DIRECT_TIES = """
SELECT low_id, high_id FROM article_duplicates
WHERE low_id = ANY($1::bigint[]) OR high_id = ANY($1::bigint[])
"""
"""The pairs of duplicates that a search found and that contain one of the given articles."""

TIES = f"""
WITH direct AS MATERIALIZED ({DIRECT_TIES})
SELECT low_id, high_id FROM direct
UNION ALL
SELECT founder_id, article_id FROM article_stories WHERE article_id IN (
    SELECT unnest($1::bigint[]) UNION SELECT low_id FROM direct UNION SELECT high_id FROM direct
)
"""  # noqa: S608 - our own statement
"""Pairs of internal ids that connect the given articles of one story, directly or through others.

In a story each article is paired with its founder alone.
"""

FOUNDERS = "SELECT article_id, founder_id FROM article_stories WHERE article_id = ANY($1::bigint[])"
MEMBERS = f"""
SELECT founder_id, (array_agg(article_id ORDER BY article_id DESC))[:{MOST_MEMBERS}] AS members
FROM article_stories WHERE founder_id = ANY($1::bigint[]) GROUP BY founder_id
"""  # noqa: S608 - our own number
"""The newest members of the stories of the given founders."""

GROUP_ID = """(
    SELECT founder.public_id FROM article_stories AS placed
    JOIN articles AS founder ON founder.id = placed.founder_id WHERE placed.article_id = this.id
) AS group_id"""
"""The group of the article in the row `this`; NULL while its story is not known yet."""

_OTHERS = """
    SELECT other.article_id AS id, coalesce(other.rule, own.rule) AS rule,
           coalesce(other.similarity, own.similarity) AS similarity
    FROM article_stories AS own JOIN article_stories AS other USING (founder_id)
    WHERE own.article_id = this.id AND other.article_id <> this.id
    UNION ALL
    SELECT CASE WHEN low_id = this.id THEN high_id ELSE low_id END, rule, similarity
    FROM article_duplicates
    WHERE (low_id = this.id OR high_id = this.id)
    AND NOT EXISTS (SELECT FROM article_stories WHERE article_id = this.id)
    ORDER BY id
"""
"""The other articles of the story of the article in the row `this`, the earliest first; while its
story is not known yet, its direct duplicates of a search. The founder has no rule of its own: it
gets that of `this`.
"""

# The leader, chosen when it is read: the article of the story with the most filled fields; of
# equals, the one seen first. A search may show another leader, because it compares only the
# articles that it found.
ARTICLE = f"""
SELECT id, {ARTICLE_COLUMNS}, first_seen_at, fetched_at, {GROUP_ID}, (
    SELECT one.public_id FROM articles AS one
    WHERE one.id = this.id
    OR one.id = ANY(ARRAY(SELECT id FROM ({_OTHERS} LIMIT {MOST_MEMBERS}) AS others))
    ORDER BY num_nonnulls(one.description, one.author, one.image_url, one.content)
                 + (NOT one.published_at_estimated)::integer DESC,
             one.first_seen_at, one.id
    LIMIT 1
) AS leader_id
FROM articles AS this WHERE public_id = $1
"""  # noqa: S608 - our own column names

DUPLICATES = f"""
SELECT {LISTED}, others.rule, others.similarity
FROM (SELECT $1::bigint AS id) AS this
CROSS JOIN LATERAL ({_OTHERS} LIMIT {MOST_DUPLICATES}) AS others
JOIN articles AS one ON one.id = others.id
ORDER BY one.id
"""  # noqa: S608 - our own column names


async def find_article(connection: Connection, article_id: str) -> ArchivedArticle | None:
    """Return an article with its duplicates; None if the archive does not have it."""
    row = await connection.fetchrow(ARTICLE, article_id)
    if row is None:
        return None
    others = await connection.fetch(DUPLICATES, row["id"])
    return ArchivedArticle(
        article_of(row),
        row["first_seen_at"],
        row["fetched_at"],
        row["leader_id"],
        row["group_id"],
        tuple(
            Member(article_of(other), Rule(other["rule"]), other["similarity"]) for other in others
        ),
    )
