"""The Archive port: articles as rows that are never deleted.

An article's identity is its canonical URL; the public id is a digest of it. A source's external id
is only information. Saving an article again loses nothing: empty fields are filled, longer texts
replace shorter ones, the fetch time only moves forward. Another source may do both, but never
sets the author: the author of a link post is the person who posted it. The text of a post (an
article with points) never enters another source's article. Of several discussions of an article,
the one with the most points is kept, with the counts of its newest fetch.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from attrs import asdict

from newsintel.domain.search.article import ArchivedArticle, Article, Pair
from newsintel.storage.postgres.archive.article_rows import (
    ARTICLE_COLUMNS,
    build_row,
    get_texts,
    transpose_rows,
)
from newsintel.storage.postgres.archive.duplicates import find_article
from newsintel.storage.postgres.archive.indexing import index_articles, reindex_articles
from newsintel.storage.postgres.pool import Connection, Postgres

_FULLER = """CASE WHEN (kept.source = excluded.source OR excluded.points IS NULL)
             AND length(excluded.{name}) > coalesce(length(kept.{name}), 0)
        THEN excluded.{name} ELSE kept.{name} END"""
_TEXTS = {
    "description": _FULLER.format(name="description"),
    "content": _FULLER.format(name="content"),
    "author": """CASE WHEN kept.source = excluded.source
        THEN coalesce(kept.author, excluded.author) ELSE kept.author END""",
    "language": "coalesce(kept.language, excluded.language)",
}
"""How an update changes the indexed texts, and the language whose rules index them."""

# If an address is unknown (rows of older versions and imports), both counts are of one discussion.
_COUNTED = """CASE
    WHEN excluded.points IS NULL OR kept.points IS NULL THEN excluded.points IS NOT NULL
    WHEN kept.discussion_url <> excluded.discussion_url THEN excluded.points > kept.points
    ELSE excluded.fetched_at >= kept.fetched_at
END"""
_COUNTS = {
    "points": f"CASE WHEN {_COUNTED} THEN excluded.points ELSE kept.points END",
    "comments": f"CASE WHEN {_COUNTED} THEN excluded.comments ELSE kept.comments END",
    "discussion_url": f"""CASE WHEN {_COUNTED}
        THEN coalesce(excluded.discussion_url, kept.discussion_url)
        ELSE coalesce(kept.discussion_url, excluded.discussion_url) END""",
}
"""How an update changes the discussion: as a whole, so that its counts are those of its address."""

# Link posts were archived with their subreddit as the publisher, until 0011. A subreddit is only
# the publisher of posts without a link, which no other source has.
_OUTLET = {
    name: f"CASE WHEN kept.publisher LIKE 'r/%' THEN excluded.{name} ELSE kept.{name} END"
    for name in ("publisher", "publisher_key")
}

# A changed text is indexed again in the same transaction; until then `text_language` is NULL.
# `xmax = 0` is true for a row that this statement inserted: an updated row has the number of the
# transaction that locked it.
SAVE = f"""
INSERT INTO articles AS kept (
    {ARTICLE_COLUMNS}, first_seen_at, fetched_at, search, text_language, publisher_key
)
SELECT {ARTICLE_COLUMNS}, fetched_at, fetched_at, search::tsvector, text_language, publisher_key
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
    $14::timestamptz[], $15::boolean[], $16::integer[], $17::integer[], $18::text[],
    $19::text[], $20::timestamptz[], $21::text[], $22::text[], $23::text[]
) AS row ({ARTICLE_COLUMNS}, fetched_at, search, text_language, publisher_key)
ON CONFLICT (public_id) DO UPDATE SET
    first_seen_at = least(kept.first_seen_at, excluded.first_seen_at),
    fetched_at = greatest(kept.fetched_at, excluded.fetched_at),
    {", ".join(f"{name} = {becomes}" for name, becomes in _TEXTS.items())},
    text_language = CASE WHEN ({", ".join(_TEXTS.values())})
                         IS DISTINCT FROM ({", ".join(f"kept.{name}" for name in _TEXTS)})
                         THEN NULL ELSE kept.text_language END,
    section = coalesce(kept.section, excluded.section),
    country = coalesce(kept.country, excluded.country),
    image_url = coalesce(kept.image_url, excluded.image_url),
    published_at = CASE WHEN kept.published_at_estimated
                        THEN excluded.published_at ELSE kept.published_at END,
    published_at_estimated = kept.published_at_estimated AND excluded.published_at_estimated,
    {", ".join(f"{name} = {becomes}" for name, becomes in (_COUNTS | _OUTLET).items())}
RETURNING id, xmax = 0 AS new, text_language IS NULL AS unread
"""  # noqa: S608 - our own column names

SAVE_PAIRS = """
INSERT INTO article_duplicates AS kept (low_id, high_id, rule, similarity)
SELECT DISTINCT ON (1, 2)
    least(member.id, founder.id), greatest(member.id, founder.id), pair.rule, pair.similarity
FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[])
    AS pair (member_id, founder_id, rule, similarity)
JOIN articles AS member ON member.public_id = pair.member_id
JOIN articles AS founder ON founder.public_id = pair.founder_id
WHERE member.id <> founder.id
ORDER BY 1, 2, pair.similarity DESC
ON CONFLICT (low_id, high_id) DO UPDATE SET rule = excluded.rule, similarity = excluded.similarity
WHERE excluded.similarity > kept.similarity
"""

BURY = """
INSERT INTO dead_letters (public_id, reason, article) VALUES ($1, $2, $3)
ON CONFLICT (public_id) DO UPDATE
SET reason = excluded.reason, article = excluded.article, buried_at = now()
"""


class PostgresArchive:
    """The archive. Every method is one unit of work and idempotent."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def save_articles(
        self, articles: Sequence[tuple[Article, datetime]], pairs: Sequence[Pair]
    ) -> int:
        ties = [
            (pair.member_id, pair.founder_id, pair.rule.value, pair.similarity) for pair in pairs
        ]
        return await self._postgres.run(_save, articles, ties)

    async def store_dead_letter(self, article: Article, reason: str) -> None:
        """If the article was buried before, this replaces the entry."""
        text = json.dumps(asdict(article), default=str)
        await self._postgres.run(
            _store_dead_letter, _escape_text(article.id), _escape_text(reason), text
        )

    async def get_article(self, article_id: str) -> ArchivedArticle | None:
        return await self._postgres.run(find_article, article_id)


async def upsert(connection: Connection, articles: Iterable[tuple[Article, datetime]]) -> int:
    """Upsert articles with their fetch times; return how many are new.

    The caller has opened the transaction.
    """
    new, unread = 0, []
    found, texts = [], []
    for article, fetched_at in articles:
        found.append(build_row(article, fetched_at))
        texts.append(get_texts(article))
    words = await index_articles(texts)
    for rows in _split_rounds([one + more for one, more in zip(found, words, strict=True)]):
        saved = await connection.fetch(SAVE, *transpose_rows(rows))
        new += sum(row["new"] for row in saved)
        unread += [row["id"] for row in saved if row["unread"]]
    await reindex_articles(connection, unread)
    return new


async def _save(
    connection: Connection,
    articles: Sequence[tuple[Article, datetime]],
    ties: Sequence[tuple[str, str, str, float]],
) -> int:
    async with connection.transaction():
        new = await upsert(connection, articles)
        if ties:
            await connection.execute(SAVE_PAIRS, *transpose_rows(ties))
    return new


async def _store_dead_letter(
    connection: Connection, article_id: str, reason: str, text: str
) -> None:
    await connection.execute(BURY, article_id, reason, text)


def _split_rounds(rows: Sequence[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """Split rows so that no statement contains an id twice, which PostgreSQL refuses.

    Rows are sorted, so that all batches lock them in the same order.
    """
    rounds: list[list[tuple[Any, ...]]] = []
    seen: Counter[str] = Counter()
    for row in rows:
        if seen[row[0]] == len(rounds):
            rounds.append([])
        rounds[seen[row[0]]].append(row)
        seen[row[0]] += 1
    return (sorted(part, key=lambda row: str(row[0])) for part in rounds)


def _escape_text(text: str) -> str:
    """Return text as ASCII with escapes, so that PostgreSQL accepts any text."""
    return ascii(text)[1:-1]
