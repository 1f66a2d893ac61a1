"""`just bench-alerts` measures how fast articles find their saved searches, at several sizes.

Saved searches are invented from the words of the corpus: two or three words of any rank from
FIRST_RANK on. At 1,000 articles a minute a search alerts some thirty times a day then. Every tenth
is one of a few popular queries. The articles come in batches, as from the persister; only matching
is timed, with its writes to the outbox.

At the end, the matches of a sample of the searches are compared with what the archive finds.
"""

import argparse
import json
import math
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
import trio
from attrs import evolve

from benchmarks.corpus import Corpus
from benchmarks.load import copy_articles, open_archive
from benchmarks.table import format_table
from newsintel.domain.alerts.anchors import choose_anchors, list_groups
from newsintel.domain.alerts.model import WatchedQuery
from newsintel.domain.alerts.watched import build_watched, write_watched
from newsintel.domain.archive.model import ArchiveQuery
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.paging import Position
from newsintel.storage.bridge import Bridge
from newsintel.storage.postgres.alerts.matching import PostgresMatching
from newsintel.storage.postgres.archive.search import PostgresSearch
from newsintel.storage.postgres.pool import Postgres

SIZES = (10_000, 100_000)
ARCHIVE = 20_000
"""Articles that are there before."""
ARTICLES = 2_000
"""Articles that arrive at each size."""

FIRST_RANK = 300
"""The most common word of a saved search: it is in two articles of a hundred."""

POPULAR = 100
"""Different popular queries."""

CHECKED = 200
"""Searches whose matches are compared with the archive's."""

CHUNK = 2_000

CLEAR = (
    "TRUNCATE saved_searches, alert_queue CASCADE",
    "DELETE FROM articles WHERE public_id LIKE 'n\\_%'",
    "TRUNCATE story_origins",
    "DELETE FROM story_queue",
    """INSERT INTO users (public_id, username, created_at, last_login_at)
       VALUES ('u_bench', 'bench', now(), now()) ON CONFLICT DO NOTHING""",
)
ADD = """
WITH made AS (
    INSERT INTO saved_searches (public_id, user_id, name, query, every, time_zone, created_at,
        changed_at, watching_since)
    SELECT 'w_' || number, (SELECT id FROM users WHERE public_id = 'u_bench'), 'bench',
        query, 'at_once', 'UTC', now(), now(), '2020-01-01+00'
    FROM unnest($1::integer[], $2::jsonb[]) AS row (number, query)
    RETURNING id, public_id
)
INSERT INTO alert_channels (saved_search_id, kind, address)
SELECT id, 'ntfy', 'https://ntfy.sh/bench' FROM made
"""
ANCHORS = """
INSERT INTO search_anchors (key, saved_search_id, required)
SELECT hashtextextended(row.anchor, 0), search.id, ARRAY(
    SELECT hashtextextended(other, 0) FROM jsonb_array_elements_text(row.others) AS other
)
FROM unnest($1::integer[], $2::text[], $3::jsonb[]) AS row (number, anchor, others)
JOIN saved_searches AS search ON search.public_id = 'w_' || row.number
"""
PLACE = """
INSERT INTO article_stories (article_id, founder_id)
SELECT id, id FROM articles WHERE public_id LIKE 'n\\_%' ON CONFLICT DO NOTHING
"""
COUNTS = "SELECT lexeme, articles FROM article_terms"
MATCHED = """
SELECT article.public_id FROM search_matches JOIN articles AS article ON article.id = article_id
JOIN saved_searches AS search ON search.id = saved_search_id WHERE search.public_id = $1
"""
TOTALS = "SELECT count(*) FROM search_matches"

_HEADER = ("saved searches", "ms an article", "articles/min", "matches an article", "checked")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each size and print a table, and the exponent of the cost between the sizes."""
    parser = argparse.ArgumentParser(prog="just bench-alerts", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), help="saved searches")
    parser.add_argument("--articles", type=int, default=ARTICLES, help="articles that arrive")
    parser.add_argument(
        "--checked", type=int, default=CHECKED, help="searches that are compared with the archive"
    )
    given = parser.parse_args(arguments)
    folder = Path(tempfile.gettempdir()) / "newsintel-bench"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = trio.run(_measure_sizes, given, folder)
    print(format_table(_HEADER, [tuple(map(str, row)) for row in found]))
    (small, first, *_), (large, last, *_) = found[0], found[-1]
    if large != small:
        exponent = math.log(last / first) / math.log(large / small)
        print(f"cost per article grows with the number of searches to the power {exponent:.2f}")


async def _measure_sizes(given: argparse.Namespace, folder: Path) -> list[tuple[Any, ...]]:
    async with open_archive(ARCHIVE, folder) as (bridge, postgres, url):
        return [await _measure(bridge, postgres, url, size, given) for size in given.sizes]


async def _measure(
    bridge: Bridge, postgres: Postgres, url: str, size: int, given: argparse.Namespace
) -> tuple[Any, ...]:
    """Return a row of the table."""
    articles = given.articles
    lane, corpus = bridge.add_lane(f"bench-{size}", 1), Corpus(ARCHIVE + articles)
    queries = list(islice(_generate_queries(corpus), size))
    print(f"{size:,} searches: loading", flush=True)
    await lane.run(_load, url, queries, corpus, articles)
    matching = PostgresMatching(postgres, lambda: datetime.now(UTC))
    began, done = time.perf_counter(), 0
    while some := await matching.match_batch():
        done += some
    spent_s = time.perf_counter() - began
    (matches,) = await lane.run(_fetch_all, url, TOTALS)
    checked = await _check(lane, postgres, url, queries, given.checked)
    per_article_ms = 1000 * spent_s / done
    return (
        *(size, round(per_article_ms, 2), round(60_000 / per_article_ms)),
        *(round(matches / done, 2), checked),
    )


def _generate_queries(corpus: Corpus) -> Iterator[WatchedQuery]:
    """Yield queries for ever, equal ones in each run."""
    dice = random.Random(3)  # noqa: S311 - nothing secret
    ranks = math.log(len(corpus.words) / FIRST_RANK)

    def draw() -> WatchedQuery:
        words = (
            corpus.words[int(FIRST_RANK * math.exp(dice.random() * ranks))]
            for _ in range(dice.choice((2, 2, 3)))
        )
        return WatchedQuery(" ".join(words))

    popular = [draw() for _ in range(POPULAR)]
    while True:
        yield dice.choice(popular) if dice.random() < 0.1 else draw()


async def _load(url: str, queries: list[WatchedQuery], corpus: Corpus, articles: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in CLEAR:
            await connection.execute(statement)
        counts = {row["lexeme"]: row["articles"] for row in await connection.fetch(COUNTS)}
        for start in range(0, len(queries), CHUNK):
            await _add_searches(connection, start, queries[start : start + CHUNK], counts)
        await connection.execute("ANALYZE saved_searches, search_anchors, alert_channels")
        await copy_articles(connection, _select_new(corpus, articles))
        await connection.execute(PLACE)
        await connection.execute("DELETE FROM story_queue")
        await connection.execute("ANALYZE articles, alert_queue, article_stories")
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge


def _select_new(corpus: Corpus, articles: int) -> list[Any]:
    """Return the last articles of the corpus, as if they were published now."""
    now = datetime.now(UTC)
    return [
        (evolve(one, id=f"n_{one.id}", published_at=now - timedelta(minutes=5)), now)
        for one, _ in islice(corpus.generate_articles(), ARCHIVE, ARCHIVE + articles)
    ]


async def _add_searches(
    connection: Any, start: int, queries: Sequence[WatchedQuery], counts: dict[str, int]
) -> None:
    numbers = list(range(start, start + len(queries)))
    stored = [json.dumps(write_watched(query)) for query in queries]
    await connection.execute(ADD, numbers, stored)
    rows = [
        (number, anchor, json.dumps(sorted(others)))
        for number, query in zip(numbers, queries, strict=True)
        for anchor, others in choose_anchors(
            run_all(list_groups(build_watched(query))), counts
        ).items()
    ]
    await connection.execute(ANCHORS, *map(list, zip(*rows, strict=True)))


async def _check(
    lane: Any, postgres: Postgres, url: str, queries: Sequence[WatchedQuery], most: int
) -> str:
    """Compare the matches of some searches with what the archive finds."""
    archive, equal = PostgresSearch(postgres), 0
    numbers = random.Random(5).sample(range(len(queries)), min(most, len(queries)))  # noqa: S311
    for number in numbers:
        found = await _find_new(archive, build_watched(queries[number]))
        equal += found == set(await lane.run(_fetch_all, url, MATCHED, f"w_{number}"))
    return f"{equal} of {len(numbers)} equal"


async def _find_new(archive: PostgresSearch, query: ArchiveQuery) -> set[str]:
    found: set[str] = set()
    after: Position | None = None
    while True:
        page = await archive.search(query, 100, after)
        found |= {hit.article.id for hit in page.hits if hit.article.id.startswith("n_")}
        if (after := page.next) is None:
            return found


async def _fetch_all(url: str, statement: str, *values: object) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(statement, *values)]
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge


if __name__ == "__main__":
    main()
