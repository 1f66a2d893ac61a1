"""The target `similar`: latency of more-like-this, cost of its word counts, and its quality."""

import random
import statistics
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from attrs import evolve

from benchmarks.corpus import END, Corpus
from benchmarks.ingest import Rows, persist_rows
from benchmarks.intelligence.quality import measure_precision
from benchmarks.intelligence.report import Options, Report
from benchmarks.intelligence.timing import Call, build_latency_rows, measure_calls
from benchmarks.load import open_archive
from benchmarks.report import Goal
from newsintel.domain.search.article import Article
from newsintel.storage.postgres.intelligence.likeness import PostgresLikeness
from newsintel.storage.postgres.intelligence.terms import PostgresTerms
from newsintel.storage.postgres.pool import Postgres

SAMPLE = 200
LIMIT = 10
INGEST_ROWS, INGEST_TURNS = 4_000, 5
GOAL_MS = 30
HALVES = ("tuned on", "held out")


async def run(options: Options) -> Report:
    """Measure all figures of more-like-this."""
    async with open_archive(options.articles, options.folder) as (_, postgres, _):
        print(f"{options.articles:,} articles: measuring latency", flush=True)
        latency = await measure_calls(await list_calls(postgres, options.articles), options.calls)
        print(f"{options.articles:,} articles: measuring ingest", flush=True)
        intake = await measure_ingest(postgres, 500 if options.quick else INGEST_ROWS)
        terms_bytes = await postgres.run(_measure_terms_bytes)
    print("labelled stories", flush=True)
    quality = await measure_precision(options.folder, every=10 if options.quick else 1)
    rows = build_latency_rows(latency)
    rows += [
        [
            name,
            f"{found['median']:,.0f} rows/s",
            f"{found['low']:,.0f} low",
            f"{found['high']:,.0f} high",
        ]
        for name, found in intake.items()
    ]
    rows += [
        [f"{name}, precision at 5", *(f"{found[half]:.3f} {half}" for half in HALVES), ""]
        for name, found in (quality or {}).items()
    ]
    return Report(
        name="similar",
        about=f"more like this, {options.articles:,} articles",
        header=("", "p50 / median", "p95", "p99"),
        rows=rows,
        goals=_build_goals(latency, quality),
        notes=_build_notes(options, quality),
        data={
            "latency_ms": latency,
            "ingest": intake,
            "article_terms_bytes": terms_bytes,
            "precision_at_5": quality,
        },
    )


async def list_calls(postgres: Postgres, size: int) -> Mapping[str, Sequence[Call]]:
    """Return the timed calls by kind: usual articles, and the hard cases of common words."""
    likeness, corpus, dice = PostgresLikeness(postgres, lambda: END), Corpus(size), random.Random(3)  # noqa: S311 - nothing secret
    ids = await postgres.run(_pick_ids)
    common = [_invent_common_article(corpus, dice) for _ in range(20)]
    words = [corpus.words[rank] for rank in range(20, 40)]
    return {
        "similar": [lambda one=one: likeness.find_similar_by_id(one, LIMIT) for one in ids],
        "like, common words alone": [
            lambda one=one: likeness.find_similar_to(one, LIMIT) for one in common
        ],
        "telling_words, 10 texts": [
            lambda at=at: likeness.find_key_terms(words[at : at + 10], 8) for at in range(10)
        ],
    }


async def measure_ingest(postgres: Postgres, rows: int) -> dict[str, dict[str, float]]:
    """Return rows per second through the persister, with and without notes of changed words.

    They take turns. It also returns the rate at which the notes are added up.
    """
    stream = iter(
        [
            (evolve(one, id=f"b_{one.id}"), seen)
            for one, seen in Corpus(INGEST_TURNS * 2 * rows, seed=7).generate_articles()
        ]
    )
    terms = PostgresTerms(postgres)
    rates: dict[str, list[float]] = {
        "persister without notes": [],
        "persister with notes": [],
        "notes added up": [],
    }
    for _ in range(INGEST_TURNS):
        await postgres.run(_switch_triggers, "DISABLE")
        rates["persister without notes"].append(
            await _time_persister(postgres, list(islice(stream, rows)))
        )
        await postgres.run(_switch_triggers, "ENABLE")
        rates["persister with notes"].append(
            await _time_persister(postgres, list(islice(stream, rows)))
        )
        began, added = time.perf_counter(), 0
        while one := await terms.apply_changes():
            added += one
        rates["notes added up"].append(added / (time.perf_counter() - began))
    await postgres.run(_restore_archive)
    return {
        name: {"median": statistics.median(some), "low": min(some), "high": max(some)}
        for name, some in rates.items()
    }


async def _time_persister(postgres: Postgres, rows: Rows) -> float:
    began = time.perf_counter()
    await persist_rows(postgres, rows)
    return len(rows) / (time.perf_counter() - began)


async def _switch_triggers(connection: Any, action: str) -> None:
    await connection.execute(f"ALTER TABLE articles {action} TRIGGER USER")


async def _restore_archive(connection: Any) -> None:
    """Delete the inserted rows and count the words again, because half of the rows have no notes.

    A running autovacuum ends after a second (it yields to the lock).
    """
    for statement in (
        "SET statement_timeout = 0",
        "SET lock_timeout = '30s'",
        "ALTER TABLE articles DISABLE TRIGGER USER",
        "DELETE FROM articles WHERE public_id LIKE 'b_%'",
        "ALTER TABLE articles ENABLE TRIGGER USER",
        "TRUNCATE article_terms, term_changes",
        "INSERT INTO article_terms SELECT word, ndoc FROM ts_stat('SELECT search FROM articles')",
        "INSERT INTO article_terms SELECT '', count(*) FROM articles",
        "VACUUM ANALYZE articles",
        "RESET lock_timeout",
        "RESET statement_timeout",
    ):
        await connection.execute(statement, timeout=300)


async def _pick_ids(connection: Any) -> list[str]:
    return [
        row[0]
        for row in await connection.fetch(
            "SELECT public_id FROM articles ORDER BY md5(public_id) LIMIT $1", SAMPLE, timeout=60
        )
    ]


async def _measure_terms_bytes(connection: Any) -> int:
    size: int = await connection.fetchval("SELECT pg_total_relation_size('article_terms')")
    return size


def _invent_common_article(corpus: Corpus, dice: random.Random) -> Article:
    """Invent an article of common words: each is in hundreds or thousands of a million articles."""
    words = [corpus.words[dice.randrange(60, 600)] for _ in range(10)]
    return Article("a_none", "newsapi", "x", "x", "x", " ".join(words), "Nobody", END)


def _build_goals(
    latency: Mapping[str, Mapping[str, float]], quality: Mapping[str, Mapping[str, float]] | None
) -> list[Goal]:
    p95 = latency["similar"]["p95"]
    goals = [Goal(f"similar p95 <= {GOAL_MS} ms", f"{p95:.1f} ms", p95 <= GOAL_MS)]
    if quality:
        ours, naive = quality["similar"]["held out"], quality["tf-idf cosine"]["held out"]
        goals.append(
            Goal(
                "precision at 5 above plain tf-idf's, on stories held out",
                f"{ours:.3f} beside {naive:.3f}",
                ours > naive,
            )
        )
    return goals


def _build_notes(options: Options, quality: object) -> list[str]:
    notes = [
        (
            "latency: at the port, without HTTP; invented articles (benchmarks/corpus.py), "
            f"{SAMPLE} of them asked for, {LIMIT} wanted"
        )
    ]
    if quality is None:
        return [
            *notes,
            (
                "skipped: precision, because the labelled headlines (../shared/headlines) "
                "are not beside this checkout"
            ),
        ]
    about = (
        "precision: the first 3,000 headlines of the UCI News Aggregator set in 37 stories, "
        "read from ../shared/headlines"
    )
    return [*notes, about + (", every tenth of them" if options.quick else "")]
