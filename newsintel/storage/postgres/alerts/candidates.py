"""Finds the saved searches that articles may match, by the anchors that both have.

The cost grows with the words of the articles and with what is found, not with the number of saved
searches: each word is one look-up in an index.
"""

from collections.abc import Sequence

from attrs import frozen

from newsintel.domain.alerts.anchors import BEGINNING, LEXEME, PUBLISHER, SOURCE
from newsintel.domain.text.lexemes import EXACT, MARKED
from newsintel.storage.postgres.pool import Connection

# Words in scripts without spaces are also looked for by their first character, because a search
# for one character matches the beginnings of words. Searches for the same query are one candidate.
# The keys of an article, of which it may have ten thousand, are joined last and to few rows: beside
# each of its words they would be gigabytes, and PostgreSQL cannot foresee how many there are.
FIND = f"""
WITH own AS MATERIALIZED (
    SELECT article.id AS article, article.first_seen_at, hashtextextended(anchor, 0) AS key
    FROM articles AS article CROSS JOIN LATERAL (
        SELECT '{LEXEME}' || lexeme FROM unnest(tsvector_to_array(article.search)) AS lexeme
        WHERE left(lexeme, 1) NOT IN ('{EXACT}', '{MARKED}')
        UNION ALL
        SELECT DISTINCT '{BEGINNING}' || left(lexeme, 1)
        FROM unnest(tsvector_to_array(article.search)) AS lexeme WHERE ascii(lexeme) > 127
        UNION ALL SELECT '{PUBLISHER}' || article.publisher_key
        UNION ALL SELECT '{SOURCE}' || article.source
    ) AS mine (anchor)
    WHERE article.id = ANY($1::bigint[])
),
keys AS MATERIALIZED (SELECT article, array_agg(key) AS held FROM own GROUP BY article),
anchored AS MATERIALIZED (
    SELECT own.article, own.first_seen_at, anchor.saved_search_id, anchor.required
    FROM own JOIN search_anchors AS anchor USING (key)
),
found AS MATERIALIZED (
    SELECT DISTINCT article, first_seen_at, saved_search_id
    FROM anchored JOIN keys USING (article) WHERE required <@ held
)
SELECT found.article, search.query::text AS query,
    array_agg(search.id ORDER BY search.id) AS searches
FROM found
JOIN saved_searches AS search ON search.id = found.saved_search_id
WHERE NOT search.paused AND search.watching_since <= found.first_seen_at
GROUP BY found.article, search.query
"""  # noqa: S608 - our own letters


@frozen
class Candidate:
    """An article, and the saved searches of one query that it may match.

    Attributes:
        article: its internal id.
        query: the JSON of `saved_searches.query`.
        searches: the internal ids of the searches, in order.
    """

    article: int
    query: str
    searches: tuple[int, ...]


async def find_candidates(connection: Connection, articles: Sequence[int]) -> list[Candidate]:
    """Return the candidates of some articles, by their internal ids."""
    return [
        Candidate(row["article"], row["query"], tuple(row["searches"]))
        for row in await connection.fetch(FIND, articles)
    ]
