"""Which stories a saved search was told: stores each once, and later members where they are wanted.

A story was told if the search has a match under its founder, or under the founder of a story that
it continues: one whose founder was deleted, or that an article of it was in before.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from newsintel.domain.bounds.chunks import cut_into_chunks
from newsintel.storage.postgres.archive.article_rows import transpose_rows
from newsintel.storage.postgres.pool import Connection

STORED_AT_ONCE = 2_000
"""Rows of one statement: about 0.1 s."""

Pair = tuple[int, int]
"""The internal ids of a saved search and of an article that it matches."""

# `told` has the founders under which the story may have been told.
FOUND = """
WITH stories AS MATERIALIZED (
    SELECT placed.article_id AS article, placed.founder_id AS founder,
        coalesce(mine.publisher_key, mine.publisher) AS outlet, ARRAY(
            SELECT origin.founder_id FROM story_origins AS origin
            WHERE origin.public_id = first.public_id
        ) || placed.founder_id AS told
    FROM article_stories AS placed JOIN articles AS mine ON mine.id = placed.article_id
    JOIN articles AS first ON first.id = placed.founder_id
    WHERE placed.article_id = ANY($2::bigint[])
),
found AS (
    SELECT search, article, founder, outlet, told
    FROM unnest($1::bigint[], $2::bigint[]) AS pair (search, article) JOIN stories USING (article)
)
"""

ADD = f"""
{FOUND}
INSERT INTO search_matches (saved_search_id, group_id, article_id, matched_at, outlet_key)
SELECT DISTINCT ON (search, founder) search, founder, article, $3::timestamptz, outlet FROM found
WHERE NOT EXISTS (
    SELECT FROM search_matches WHERE saved_search_id = search AND group_id = ANY(told)
)
ORDER BY search, founder, article
ON CONFLICT DO NOTHING
RETURNING saved_search_id, group_id
"""  # noqa: S608 - our own text

# A publisher that has alerted about a story does not alert about it again.
ADD_LATER = f"""
{FOUND}
INSERT INTO search_matches
    (saved_search_id, group_id, article_id, matched_at, outlet_key, later_of)
SELECT DISTINCT ON (search, first, outlet) search, article, article, $3::timestamptz, outlet, first
FROM found CROSS JOIN LATERAL (
    SELECT min(coalesce(later_of, group_id)) AS first FROM search_matches
    WHERE saved_search_id = search AND group_id = ANY(told)
) AS earlier
WHERE first IS NOT NULL AND NOT EXISTS (
    SELECT FROM search_matches
    WHERE saved_search_id = search AND outlet_key = outlet
        AND (group_id = ANY(told) OR later_of = ANY(told))
)
ORDER BY search, first, outlet, article
ON CONFLICT DO NOTHING
RETURNING saved_search_id, group_id
"""  # noqa: S608 - our own text

FILL = f"""
{FOUND}
UPDATE search_matches AS vacant SET article_id = heir.article
FROM (
    SELECT DISTINCT ON (search, group_id) search, group_id, article
    FROM found JOIN search_matches AS lost ON saved_search_id = search AND group_id = ANY(told)
    WHERE lost.article_id IS NULL AND later_of IS NULL AND NOT EXISTS (
        SELECT FROM search_matches WHERE saved_search_id = search AND article_id = article
    )
    ORDER BY search, group_id, article
) AS heir
WHERE vacant.saved_search_id = heir.search AND vacant.group_id = heir.group_id
"""  # noqa: S608 - our own text


async def add_matches(
    connection: Connection, pairs: Sequence[Pair], later: Collection[int], now: datetime
) -> list[Pair]:
    """Store what searches were not told yet.

    Args:
        connection: with the transaction.
        pairs: what matches what.
        later: the searches that want later members, too.
        now: the time of the matches.

    Returns:
        The searches and the `group_id` of their new matches.
    """
    added: list[Pair] = []
    for some in cut_into_chunks(pairs, STORED_AT_ONCE):
        searches, articles = transpose_rows(some)
        added += await connection.fetch(ADD, searches, articles, now)
        if wanted := [pair for pair in some if pair[0] in later]:
            added += await connection.fetch(ADD_LATER, *transpose_rows(wanted), now)
        await connection.execute(FILL, searches, articles)
    return [(row[0], row[1]) for row in added]
