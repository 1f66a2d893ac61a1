"""Keeps a saved search under its anchors, and refuses one that would match nearly everything."""

import json
from collections.abc import Mapping

from newsintel.domain.alerts.anchors import TOO_BROAD, choose_anchors, list_groups
from newsintel.domain.archive.model import ArchiveQuery
from newsintel.errors import InvalidParameterError
from newsintel.storage.loop_turns import run_in_loop_turns
from newsintel.storage.postgres.archive.prepared_condition import prepare_condition
from newsintel.storage.postgres.pool import Connection

SAMPLE = 1_000
"""The newest articles, of which a query is allowed to match at most MOST_SHARE."""

LEAST_SAMPLE = 100
"""With fewer articles in the archive, no share is measured: it would say little."""

MOST_SHARE = 0.5
"""A search that matches every other article is no search. A judgement: the commonest words of news
that are not function words, such as `said`, occur in one in three."""

COUNTS = "SELECT lexeme, articles FROM article_terms WHERE lexeme = ANY($1::text[])"

REMOVE = "DELETE FROM search_anchors WHERE saved_search_id = $1"

ADD = """
INSERT INTO search_anchors (key, saved_search_id, required)
SELECT hashtextextended(anchor, 0), $1::bigint, ARRAY(
    SELECT hashtextextended(other, 0) FROM jsonb_array_elements_text(others) AS other
)
FROM jsonb_each($2::jsonb) AS row (anchor, others)
"""

SHARE = f"""
SELECT count(*) AS articles, count(*) FILTER (WHERE {{condition}}) AS matches FROM (
    SELECT search, source, publisher_key, language, published_at FROM articles
    ORDER BY published_at DESC, public_id LIMIT {SAMPLE}
) AS articles
"""  # noqa: S608 - our own number


Anchors = Mapping[str, frozenset[str]]
"""What a saved search is kept under, each with the further anchors that a match has."""


async def find_anchors(connection: Connection, query: ArchiveQuery) -> Anchors:
    """Return the anchors of a query, the rarest by the archive's counts of words.

    Raises:
        InvalidParameterError: an alternative has no anchor.
    """
    groups = await run_in_loop_turns(list_groups(query))
    words = list({anchor[1:] for group in groups for anchor in group})
    rows = await connection.fetch(COUNTS, words)
    return choose_anchors(groups, {row["lexeme"]: row["articles"] for row in rows})


async def check_share(connection: Connection, query: ArchiveQuery) -> None:
    """Refuse a query that matches more than MOST_SHARE of the newest articles.

    Raises:
        InvalidParameterError: it does, or it has only stop words.
    """
    condition = await prepare_condition(connection, query)
    row = await connection.fetchrow(SHARE.format(condition=condition.sql), *condition.values)
    articles, matches = row["articles"], row["matches"]
    if articles >= LEAST_SAMPLE and matches > MOST_SHARE * articles:
        raise InvalidParameterError(
            "q",
            TOO_BROAD,
            f"the query matches {matches} of the newest {articles} articles; "
            "add a word, a publisher or sources.",
        )


async def put_anchors(connection: Connection, search: int, anchors: Anchors) -> None:
    """Keep a search under these anchors, and under no others."""
    await connection.execute(REMOVE, search)
    given = {anchor: sorted(others) for anchor, others in anchors.items()}
    await connection.execute(ADD, search, json.dumps(given))
