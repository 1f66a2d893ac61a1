"""Quality of more-like-this on labelled stories: precision at 5.

That is the share of the first five results that belong to the article's own story. The stories are
the headlines of the UCI News Aggregator set, loaded as an archive. For fairness, one rule removes
near-duplicates of the article and of better results from every ranking; a missing result counts as
wrong. Half of the stories were used to choose constants; the other half was not.
"""

import csv
import hashlib
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen

from newsintel.config.values import Secret
from newsintel.domain.search.article import Article, Pair
from newsintel.domain.search.dedup import Deduper, Headline
from newsintel.domain.search.query_model import Dedupe
from newsintel.storage.bridge import open_bridge
from newsintel.storage.embedded.servers import run_embedded_servers
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.intelligence.likeness import PostgresLikeness
from newsintel.storage.postgres.intelligence.terms import PostgresTerms
from newsintel.storage.postgres.migrate import migrate
from newsintel.storage.postgres.pool import Postgres, open_postgres

HEADLINES = Path(__file__).resolve().parents[3] / "shared" / "headlines"
FIRST = 5
DEPTH = 200
"""Results of a ranking before near-duplicates are removed."""

SELECT_RANKED = """
SELECT public_id FROM articles, (SELECT string_agg(quote_literal(lexeme), ' | ')::tsquery AS words
                                 FROM articles, unnest(search) WHERE public_id = $1) AS asked
WHERE search @@ words AND public_id <> $1 ORDER BY ts_rank(search, words) DESC, id LIMIT $2
"""

Rank = Callable[[Article], Awaitable[Sequence[str]]]


@frozen
class LabelledArticles:
    """Articles, and the story of each by public id."""

    articles: tuple[Article, ...]
    stories: Mapping[str, str]


def load_labelled(every: int) -> LabelledArticles | None:
    """Load the labelled articles, one in `every`; None if they are not beside this checkout."""
    if not HEADLINES.is_dir():
        return None
    same = {
        one: group[0]
        for group in json.loads((HEADLINES / "uci_story_merges.json").read_text())
        for one in group
    }
    with (HEADLINES / "uci_news_aggregator_first3000.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        rows = list(csv.DictReader(file))[::every]
    articles = tuple(_read_article(row) for row in rows)
    return LabelledArticles(
        articles,
        {
            one.id: same.get(row["STORY"], row["STORY"])
            for one, row in zip(articles, rows, strict=True)
        },
    )


async def measure_precision(folder: Path, *, every: int) -> dict[str, dict[str, float]] | None:
    """Return each ranking's precision at 5, on tuned and on held-out stories."""
    known = load_labelled(every)
    if known is None:
        return None
    newest = max(one.published_at for one in known.articles)
    async with open_labelled_archive(known, folder / f"labelled-{every}") as postgres:
        likeness = PostgresLikeness(postgres, lambda: newest)

        async def ours(one: Article) -> Sequence[str]:
            return [
                match.article.id for match in await likeness.find_similar_by_id(one.id, FIRST) or ()
            ]

        ways: dict[str, Rank] = {
            "similar": ours,
            "tf-idf cosine": _rank_by_cosine(known.articles),
            "ts_rank of all words": partial(_rank_by_ts_rank, postgres),
        }
        return {name: await _compute_precision(known, rank) for name, rank in ways.items()}


@asynccontextmanager
async def open_labelled_archive(
    known: LabelledArticles, folder: Path, pairs: Sequence[Pair] = ()
) -> AsyncIterator[Postgres]:
    """Run an embedded server with the labelled articles in its archive and their words counted."""
    newest = max(one.published_at for one in known.articles)
    async with run_embedded_servers(folder, redis=False) as own, open_bridge() as bridge:
        url = Secret(own.postgres_url or "")
        async with open_postgres(bridge, url, None, 2) as postgres:
            await migrate(bridge.add_lane("migrating", 1), url, None, postgres)
            await PostgresArchive(postgres).save_articles(
                [(one, newest) for one in known.articles], pairs
            )
            while await PostgresTerms(postgres).apply_changes():
                pass
            yield postgres


def choose_half(story: str) -> str:
    """Return the half of a story: "tuned on" (used to choose constants) or "held out"."""
    return "tuned on" if hashlib.sha256(story.encode()).digest()[0] % 2 == 0 else "held out"


async def _compute_precision(known: LabelledArticles, rank: Rank) -> dict[str, float]:
    titles = {one.id: one.title for one in known.articles}
    shares: dict[str, list[float]] = defaultdict(list)
    for one in known.articles:
        story = known.stories[one.id]
        first = _drop_duplicates(one, await rank(one), titles)
        shares[choose_half(story)].append(
            sum(known.stories[other] == story for other in first) / FIRST
        )
    return {half: round(sum(some) / len(some), 4) for half, some in shares.items()}


def _drop_duplicates(one: Article, ranked: Sequence[str], titles: Mapping[str, str]) -> list[str]:
    """Return the first five without near-duplicates of the article or of each other."""
    deduper = Deduper(Dedupe.NORMAL)
    deduper.add(Headline(one.title), None)
    return [
        other
        for other in ranked
        if other != one.id and deduper.add(Headline(titles[other]), None).rule is None
    ][:FIRST]


def _rank_by_cosine(articles: Sequence[Article]) -> Rank:
    """Return the textbook ranking: unstemmed words, count times ln(N / n), cosine of titles."""
    counts = {one.id: Counter(re.findall(r"[a-z0-9']+", one.title.lower())) for one in articles}
    having = Counter(word for some in counts.values() for word in some)
    weights = {
        key: {word: count * math.log(len(articles) / having[word]) for word, count in some.items()}
        for key, some in counts.items()
    }
    norms = {
        key: math.sqrt(sum(weight**2 for weight in some.values())) or 1.0
        for key, some in weights.items()
    }
    entries: dict[str, list[str]] = defaultdict(list)
    for key, some in counts.items():
        for word in some:
            entries[word].append(key)

    async def rank(one: Article) -> Sequence[str]:
        products: Counter[str] = Counter()
        for word, weight in weights[one.id].items():
            for other in entries[word]:
                products[other] += weight * weights[other][word]
        return sorted(products, key=lambda other: (-products[other] / norms[other], other))[:DEPTH]

    return rank


async def _rank_by_ts_rank(postgres: Postgres, one: Article) -> Sequence[str]:
    """Rank with PostgreSQL alone: articles with any of the words, by ts_rank."""

    async def unit(connection: Any) -> list[str]:
        return [row[0] for row in await connection.fetch(SELECT_RANKED, one.id, DEPTH)]

    return await postgres.run(unit)


def _read_article(row: Mapping[str, str]) -> Article:
    url = row["URL"]
    published = datetime.fromtimestamp(int(row["TIMESTAMP"]) / 1000, UTC)
    return Article(
        f"a_{row['ID']}", "newsapi", url, url, url, row["TITLE"], row["PUBLISHER"], published
    )
