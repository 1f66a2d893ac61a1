"""The stories that a saved search matched, as they are listed and sent."""

from asyncpg import Record

from newsintel.domain.alerts.model import Match
from newsintel.storage.postgres.archive.article_rows import LISTED, article_of

# A story is that of the match's article now; until the grouper has placed it again after its
# founder was deleted, it is a story of its own.
_LISTED_STORIES = f"""
SELECT {LISTED}, listed.*, (
    SELECT founder.public_id FROM articles AS founder WHERE founder.id = place.founder_id
) AS story, ARRAY(
    SELECT DISTINCT other.publisher FROM article_stories AS placed
    JOIN articles AS other ON other.id = placed.article_id
    WHERE placed.founder_id = place.founder_id AND other.publisher IS NOT NULL ORDER BY 1
) AS publishers, (
    SELECT told.title FROM search_matches AS earlier
    JOIN articles AS told ON told.id = earlier.article_id
    WHERE earlier.saved_search_id = listed.saved_search_id AND earlier.group_id = listed.later_of
) AS first_title
FROM (%s) AS listed JOIN articles AS this ON this.id = listed.article_id
LEFT JOIN article_stories AS place ON place.article_id = this.id
ORDER BY matched_at DESC, listed.group_id DESC
"""  # noqa: S608 - our own columns


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
        tuple(row["publishers"]),
        is_later=row["later_of"] is not None,
        first_title=row["first_title"],
    )
