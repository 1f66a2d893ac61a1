"""The stories that a saved search matched, as they are listed and sent."""

from asyncpg import Record

from newsintel.domain.alerts.model import MOST_PUBLISHERS, Match
from newsintel.storage.postgres.archive.article_rows import LISTED, article_of
from newsintel.storage.postgres.archive.duplicates import MOST_MEMBERS

# A story is that of the match's article now; until the grouper has placed it again after its
# founder was deleted, it is a story of its own. Many matches may be later members of one story, and
# a report that agencies spread has thousands of members: its publishers are read once, and of so
# many members only the first.
_LISTED_STORIES = f"""
WITH listed AS MATERIALIZED (%s),
told AS MATERIALIZED (
    SELECT story.founder_id, ARRAY(
        SELECT DISTINCT publisher FROM (
            SELECT other.publisher FROM article_stories AS placed
            JOIN articles AS other ON other.id = placed.article_id
            WHERE placed.founder_id = story.founder_id
            ORDER BY placed.article_id LIMIT {MOST_MEMBERS}
        ) AS members WHERE publisher IS NOT NULL ORDER BY 1 LIMIT {MOST_PUBLISHERS}
    ) AS publishers
    FROM (SELECT DISTINCT founder_id FROM listed JOIN article_stories USING (article_id)) AS story
)
SELECT {LISTED}, listed.*, (
    SELECT founder.public_id FROM articles AS founder WHERE founder.id = place.founder_id
) AS story, told.publishers, (
    SELECT first.title FROM search_matches AS earlier
    JOIN articles AS first ON first.id = earlier.article_id
    WHERE earlier.saved_search_id = listed.saved_search_id AND earlier.group_id = listed.later_of
) AS first_title
FROM listed JOIN articles AS this ON this.id = listed.article_id
LEFT JOIN article_stories AS place ON place.article_id = this.id
LEFT JOIN told ON told.founder_id = place.founder_id
ORDER BY matched_at DESC, listed.group_id DESC
"""  # noqa: S608 - our own columns and numbers


def list_stories(matches: str) -> str:
    """Return the statement that lists some matches, the latest first, for `build_match`.

    Args:
        matches: SQL whose rows have the columns of `search_matches`, with articles.
    """
    return _LISTED_STORIES % matches


def build_match(row: Record) -> Match:
    """Return the match in a row."""
    article = article_of(row)
    return Match(
        row["story"] or article.id,
        article,
        row["matched_at"],
        tuple(row["publishers"] or ()),
        is_later=row["later_of"] is not None,
        first_title=row["first_title"],
    )
