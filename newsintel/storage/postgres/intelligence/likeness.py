"""The Likeness port: compares articles by weighted terms of the archive's full-text index.

The decisions are pure functions in `intelligence`.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from newsintel.domain.intelligence.likeness import (
    Candidate,
    Scored,
    drop_duplicates,
    rescore_articles,
    score_candidates,
)
from newsintel.domain.intelligence.likeness_model import SimilarArticle
from newsintel.domain.intelligence.term_weights import Probe, Word, plan_probe, rank_terms
from newsintel.domain.intelligence.wording import find_spellings
from newsintel.domain.ports import WallClock
from newsintel.domain.search.article import Article
from newsintel.domain.search.matching import choose_article_language
from newsintel.domain.text.languages import SIMPLE
from newsintel.domain.text.lexemes import is_significant, make_lexeme
from newsintel.domain.text.tokens import split_words
from newsintel.storage.postgres.archive.article_rows import ARTICLE_COLUMNS, article_of
from newsintel.storage.postgres.archive.duplicates import TIES
from newsintel.storage.postgres.archive.lexemes import join_with_or, quote_lexeme
from newsintel.storage.postgres.archive.orders import NEWEST
from newsintel.storage.postgres.archive.prepared_condition import LANGUAGES
from newsintel.storage.postgres.archive.unit_time import limit_time
from newsintel.storage.postgres.archive.walk import TimeRange, walk_rows, window_sql
from newsintel.storage.postgres.pool import Connection, Postgres

TERMS = 12
"""Number of an article's terms that others are compared with."""

CANDIDATES = 500
"""Most articles that are scored: as many as archive search ranks. If there are more, the newest."""

SPARE = 20
"""Number of matches beyond the limit that are checked for duplicates of each other."""

OF_ARTICLE = """
SELECT word.lexeme, (SELECT min(field) FROM unnest(word.weights) AS field) AS field,
       coalesce(kept.articles, 0) AS articles
FROM (SELECT search FROM articles WHERE id = $1) AS text
CROSS JOIN LATERAL unnest(search) AS word
LEFT JOIN article_terms AS kept ON kept.lexeme = word.lexeme
"""
"""The lexemes of an archived article, and how many articles contain each."""

TOTAL = "SELECT coalesce((SELECT articles FROM article_terms WHERE lexeme = ''), 0)"
COUNTS = "SELECT lexeme, articles FROM article_terms WHERE lexeme = ANY($1::text[])"
SPELT_CHARS = 3_000
"""Characters of a text in which the original words of its terms are searched: 2 ms at most for each
match.
"""

TEXT_CHARS = 2_000
"""Characters of a text from outside the archive that are compared: of title, description and
content each, or of what a person wrote.
"""

_BEGINNING = ARTICLE_COLUMNS.replace("content", f"left(content, {SPELT_CHARS}) AS content")
FOUND = f"""
SELECT id, {_BEGINNING}, fetched_at, text_language FROM articles WHERE id = ANY($1::bigint[])
"""


class PostgresLikeness:
    """Likeness by weighted terms. Every method is one unit of work on one connection."""

    def __init__(self, postgres: Postgres, now: WallClock) -> None:
        self._postgres = postgres
        self._now = now

    async def find_similar_by_id(
        self, article_id: str, limit: int
    ) -> tuple[SimilarArticle, ...] | None:
        return await self._postgres.run(_find_similar_by_id, article_id, limit, self._now())

    async def find_similar_to(self, article: Article, limit: int) -> tuple[SimilarArticle, ...]:
        return await self._postgres.run(_find_similar_to, article, limit, self._now())

    async def find_key_terms(
        self, texts: Sequence[str], each: int
    ) -> Sequence[Mapping[str, float]]:
        return await self._postgres.run(_find_key_terms, texts, each)


@frozen
class _LikenessQuery:
    """What is searched for.

    Attributes:
        weights: the weight of each term.
        articles: how many articles contain each term.
        known: the id (None if not archived) and title of each article that is left out together
            with its duplicates.
        publisher: the publisher of the text itself, if it has one.
    """

    weights: Mapping[str, float]
    articles: Mapping[str, int]
    known: Sequence[tuple[int | None, str]]
    publisher: str | None
    limit: int
    now: datetime


@frozen
class _ArchivedMatch:
    """A match as the archive holds it."""

    article: Article
    fetched_at: datetime
    language: str | None

    def to_match(self, how: Scored) -> SimilarArticle:
        """Return the match, with its terms as the article spells them."""
        texts = (self.article.title, self.article.description, self.article.content)
        return SimilarArticle(
            self.article,
            self.fetched_at,
            how.score,
            find_spellings(texts, how.terms, self.language or SIMPLE),
        )


@limit_time
async def _find_similar_by_id(
    connection: Connection, article_id: str, limit: int, now: datetime
) -> tuple[SimilarArticle, ...] | None:
    this = await connection.fetchrow(
        "SELECT id, title, publisher FROM articles WHERE public_id = $1", article_id
    )
    if this is None:
        return None
    words = list(_build_words(await connection.fetch(OF_ARTICLE, this["id"])))
    weights, articles = await _weigh_terms(connection, words, least=2)
    known = [(this["id"], this["title"])]
    asked = _LikenessQuery(weights, articles, known, this["publisher"], limit, now)
    return await _find(connection, asked)


@limit_time
async def _find_similar_to(
    connection: Connection, article: Article, limit: int, now: datetime
) -> tuple[SimilarArticle, ...]:
    language, fields = choose_article_language(article), dict[str, str]()
    for field, text in (("A", article.title), ("B", article.description), ("C", article.content)):
        for token in split_words((text or "")[:TEXT_CHARS]):
            fields.setdefault(make_lexeme(token.word, language), field)
        await asyncio.sleep(0)  # lets other tasks run
    counts = dict(await connection.fetch(COUNTS, list(fields)))
    words = [
        Word(one, field, counts.get(one, 0)) for one, field in fields.items() if is_significant(one)
    ]
    weights, articles = await _weigh_terms(connection, words, least=1)
    return await _find(
        connection,
        _LikenessQuery(weights, articles, [(None, article.title)], article.publisher, limit, now),
    )


async def _weigh_terms(
    connection: Connection, words: Sequence[Word], *, least: int
) -> tuple[Mapping[str, float], Mapping[str, int]]:
    """Return the weights of one text's terms, and how many articles contain each word."""
    weights = rank_terms(words, await connection.fetchval(TOTAL), TERMS, least=least)
    return weights, {word.lexeme: word.articles for word in words}


@limit_time
async def _find_key_terms(
    connection: Connection, texts: Sequence[str], each: int
) -> Sequence[Mapping[str, float]]:
    """Return the weighted terms of what a person wrote.

    The language of such a text is unknown. So each word is taken in the language in which most
    articles contain it.
    """
    languages = [row["text_language"] for row in await connection.fetch(LANGUAGES)]
    forms = []
    for text in texts:
        plain = dict.fromkeys(token.word for token in split_words(text[:TEXT_CHARS]))
        forms.append(
            [
                list(dict.fromkeys(make_lexeme(word, language) for language in languages))
                for word in plain
            ]
        )
        await asyncio.sleep(0)  # lets other tasks run
    lexemes = {one for words in forms for word in words for one in word}
    counts = dict(await connection.fetch(COUNTS, list(lexemes)))
    total = await connection.fetchval(TOTAL)
    best = [
        [max(word, key=lambda one: counts.get(one, 0)) for word in words if word] for words in forms
    ]
    return [
        rank_terms(
            [Word(one, "D", counts.get(one, 0)) for one in words if is_significant(one)],
            total,
            each,
            least=1,
        )
        for words in best
    ]


async def _find(connection: Connection, asked: _LikenessQuery) -> tuple[SimilarArticle, ...]:
    """Return the best matches of weighted terms."""
    how = plan_probe(list(asked.weights), asked.articles)
    if how is None:
        return ()
    own = {one for one, _ in asked.known if one is not None}
    found = [
        one
        for one in await _find_candidates(connection, how, list(asked.weights))
        if one.id not in own
    ]
    nearest = score_candidates(found, asked.weights)[: asked.limit + SPARE]
    await asyncio.sleep(0)  # lets other tasks run, here and below
    ids = [one.id for one in nearest]
    rows = {
        row["id"]: _ArchivedMatch(article_of(row), row["fetched_at"], row["text_language"])
        for row in await connection.fetch(FOUND, ids)
    }
    ties = await connection.fetch(TIES, [*ids, *own])
    ranked = rescore_articles(
        nearest, {one: found.article for one, found in rows.items()}, asked.publisher, asked.now
    )
    await asyncio.sleep(0)
    kept = drop_duplicates(
        ranked, {one: found.article.title for one, found in rows.items()}, ties, asked.known
    )[: asked.limit]
    matches = []
    for one in kept:
        matches.append(rows[one.id].to_match(one))
        await asyncio.sleep(0)
    return tuple(matches)


async def _find_candidates(
    connection: Connection, how: Probe, terms: Sequence[str]
) -> list[Candidate]:
    """Return all articles that a probe finds, or about CANDIDATES of the newest if it finds more.

    For a wide probe, return the newest ones at once.
    """
    shared = " | ".join(
        f"((search @@ ${place + 2}::text::tsquery)::integer::bigint << {place})"
        for place in range(len(terms))
    )
    columns = f"id, length(search) AS words, {shared} AS shared"
    values = [_build_tsquery(how), *map(quote_lexeme, terms)]
    condition = "search @@ $1::text::tsquery"
    rows: Sequence[Any] = ()
    if not how.wide:
        rows = await connection.fetch(
            f"SELECT {columns} FROM articles WHERE {condition} LIMIT {CANDIDATES + 1}", *values
        )
    if how.wide or len(rows) > CANDIDATES:
        newest = f"SELECT * FROM found ORDER BY {NEWEST} LIMIT {CANDIDATES}"
        window = window_sql(condition, len(values), f"public_id, published_at, {columns}", newest)
        rows = await walk_rows(connection, window, values, TimeRange(None, None), CANDIDATES)
    return [Candidate(row["id"], row["words"], row["shared"]) for row in rows]


def _build_words(rows: Iterable[Any]) -> Iterable[Word]:
    return (
        Word(row["lexeme"], row["field"] or "D", row["articles"])
        for row in rows
        if is_significant(row["lexeme"])
    )


def _build_tsquery(how: Probe) -> str:
    """Return the probe as a tsquery."""
    others = [term for term in how.terms if term not in (*how.alone, *how.anchors)]
    parts = [*map(quote_lexeme, how.alone), *_build_pair_queries(how.anchors)]
    if how.anchors and others:
        parts.append(f"({join_with_or(how.anchors)}) & ({join_with_or(others)})")
    return " | ".join(f"({part})" for part in parts)


def _build_pair_queries(terms: Sequence[str]) -> list[str]:
    """Return queries of which one matches if any two of the terms occur.

    The two are in one half of the terms, or one is in each half. This takes n log n words. A list
    of all pairs would take n², and the index's time for a match grows with the number of words.
    """
    if len(terms) < 2:
        return []
    one, other = terms[: len(terms) // 2], terms[len(terms) // 2 :]
    return [
        *_build_pair_queries(one),
        *_build_pair_queries(other),
        f"({join_with_or(one)}) & ({join_with_or(other)})",
    ]
