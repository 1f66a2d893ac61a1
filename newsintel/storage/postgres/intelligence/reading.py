"""The Reading port: what people did with articles, and articles that may be new to them."""

from collections.abc import Mapping, Sequence

from newsintel.domain.intelligence.interest_model import (
    CandidateQuery,
    Deed,
    DeedKind,
    ProfileMatch,
    UnseenArticle,
)
from newsintel.storage.postgres.archive.article_rows import LISTED, article_of
from newsintel.storage.postgres.archive.duplicates import DIRECT_TIES, FOUNDERS, MEMBERS
from newsintel.storage.postgres.archive.lexemes import join_with_or, quote_lexeme
from newsintel.storage.postgres.archive.orders import NEWEST
from newsintel.storage.postgres.archive.unit_time import limit_time
from newsintel.storage.postgres.archive.walk import TimeRange, walk_rows, window_sql
from newsintel.storage.postgres.pool import Connection, Postgres

SAVES, OPENED, DISMISSED, SEARCHES = 50, 100, 100, 50
"""How many of the latest of each kind are read. Older ones would count for almost nothing, because
of their half-lives.
"""

NOTE_CHARS = 300
"""Characters of a note that are read, from its beginning."""

FRESH_ROWS = 5_000
"""How many of the newest articles are searched for the most widely covered: with a million articles
over two years, about three days of news.
"""

# Each part reads one person's latest rows through an index.
DEEDS = f"""
(SELECT 'saved' AS kind, public_id, title, left(notes, {NOTE_CHARS}) AS text, saved_at AS at
 FROM saved_articles JOIN articles ON id = article_id
 WHERE user_id = $1 ORDER BY saved_at DESC, article_id LIMIT {SAVES})
UNION ALL
(SELECT 'opened', public_id, title, NULL, opened_at
 FROM opened_articles JOIN articles ON id = article_id
 WHERE user_id = $1 ORDER BY opened_at DESC, article_id LIMIT {OPENED})
UNION ALL
(SELECT CASE reason WHEN 'hide' THEN 'hidden' ELSE 'disliked' END,
        public_id, title, NULL, dismissed_at
 FROM dismissed_articles JOIN articles ON id = article_id
 WHERE user_id = $1 ORDER BY dismissed_at DESC, article_id LIMIT {DISMISSED})
UNION ALL
(SELECT 'searched', NULL, query, NULL, searched_at
 FROM search_history
 WHERE user_id = $1 ORDER BY searched_at DESC, search_history.public_id LIMIT {SEARCHES})
"""

# Those of the wanted lexemes that an article contains.
SHARED = """ARRAY(
    SELECT lexeme FROM unnest(tsvector_to_array(search)) AS lexeme WHERE lexeme = ANY($2::text[])
)"""

ASKED = "SELECT id FROM articles WHERE public_id = ANY($1::text[])"
DEALT_WITH = " UNION ALL ".join(
    f"SELECT article_id FROM {name} WHERE user_id = $1 AND article_id = ANY($2::bigint[])"
    for name in ("saved_articles", "opened_articles", "dismissed_articles")
)
PUBLISHERS = """
SELECT id, coalesce(publisher_key, publisher) FROM articles WHERE id = ANY($1::bigint[])
"""
OFFERS = f"""
SELECT id, {LISTED}, (SELECT count(*) FROM saved_articles WHERE article_id = id) AS saves
FROM articles WHERE id = ANY($1::bigint[])
"""

COVERED = f"""
WITH fresh AS MATERIALIZED (
    SELECT id, public_id, title, published_at FROM articles ORDER BY {NEWEST} LIMIT {FRESH_ROWS}
)
SELECT public_id, title,
       (SELECT count(*) FROM article_duplicates WHERE low_id = id)::integer
       + (SELECT count(*) FROM article_duplicates WHERE high_id = id)::integer AS duplicates
FROM fresh ORDER BY duplicates DESC, {NEWEST} LIMIT $1
"""


class PostgresReading:
    """Reads for recommendations. Every method is one unit of work on one connection."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def list_deeds(self, user_id: int) -> Sequence[Deed]:
        return await self._postgres.run(_list_deeds, user_id)

    async def find_by_terms(self, wanted: CandidateQuery, limit: int) -> Sequence[ProfileMatch]:
        return await self._postgres.run(_find_by_terms, wanted, limit)

    async def load_unseen(
        self, user_id: int, article_ids: Sequence[str]
    ) -> Mapping[str, UnseenArticle]:
        return await self._postgres.run(_load_unseen, user_id, article_ids)

    async def list_most_covered(self, limit: int) -> Sequence[tuple[str, str, int]]:
        return await self._postgres.run(_list_most_covered, limit)


async def _list_deeds(connection: Connection, user_id: int) -> list[Deed]:
    found = []
    for kind, public_id, title, note, at in await connection.fetch(DEEDS, user_id):
        found.append(Deed(DeedKind(kind), title, title, at, public_id))
        if note:
            found.append(Deed(DeedKind.NOTED, note, title, at, public_id))
    return found


@limit_time
async def _find_by_terms(
    connection: Connection, wanted: CandidateQuery, limit: int
) -> list[ProfileMatch]:
    if not wanted.terms:
        return []
    newest = f"SELECT * FROM found ORDER BY {NEWEST} LIMIT {limit}"
    window = window_sql(
        "search @@ $1::text::tsquery", 2, f"public_id, published_at, {SHARED} AS shared", newest
    )
    rows = await walk_rows(
        connection,
        window,
        [_build_tsquery(wanted), list(wanted.terms)],
        TimeRange(None, None),
        limit,
    )
    return [
        ProfileMatch(public_id, published_at, frozenset(shared))
        for public_id, published_at, shared in rows[:limit]
    ]


@limit_time
async def _load_unseen(
    connection: Connection, user_id: int, article_ids: Sequence[str]
) -> dict[str, UnseenArticle]:
    """Return the articles of stories that the person has not dealt with.

    An article and its duplicates are one story: who dealt with one has dealt with all.

    This takes several statements, each through an index. As one statement, PostgreSQL would plan to
    read the whole archive.
    """
    asked = [row["id"] for row in await connection.fetch(ASKED, list(article_ids))]
    stories = await _find_stories(connection, asked)
    members = {one for story in stories.values() for one in story}
    tellers = dict(await connection.fetch(PUBLISHERS, list(members)))
    seen = {row["article_id"] for row in await connection.fetch(DEALT_WITH, user_id, list(tellers))}
    new = [one for one, story in stories.items() if not story & seen]
    return {
        row["public_id"]: UnseenArticle(
            article_of(row),
            len({tellers[one] for one in stories[row["id"]] if one in tellers}),
            row["saves"],
        )
        for row in await connection.fetch(OFFERS, new)
    }


async def _find_stories(connection: Connection, asked: Sequence[int]) -> dict[int, set[int]]:
    """Return each article with its duplicates."""
    stories = {one: {one} for one in asked}
    for low, high in await connection.fetch(DIRECT_TIES, asked):
        for one, other in ((low, high), (high, low)):
            if one in stories:
                stories[one].add(other)
    founders = dict(await connection.fetch(FOUNDERS, asked))
    members = dict(await connection.fetch(MEMBERS, list(founders.values())))
    for one, founder in founders.items():
        stories[one].update(members[founder])
    return stories


async def _list_most_covered(connection: Connection, limit: int) -> list[tuple[str, str, int]]:
    return [tuple(row) for row in await connection.fetch(COVERED, limit)]


def _build_tsquery(wanted: CandidateQuery) -> str:
    """Return the tsquery for one of `alone`, or for two terms of one group."""
    parts = [quote_lexeme(term) for term in wanted.alone]
    for group in wanted.groups:
        parts += [
            f"({quote_lexeme(term)} & ({join_with_or(group[place + 1 :])}))"
            for place, term in enumerate(group[:-1])
        ]
    return " | ".join(parts)
