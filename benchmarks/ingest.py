"""Measures the ingest rate of the persister against COPY into the same indexed table, in turns."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import asyncpg
import trio
from attrs import evolve

from benchmarks.corpus import Corpus
from benchmarks.load import copy_articles
from newsintel.actors import persister
from newsintel.domain.archive.batch import BATCH_ROWS
from newsintel.domain.bounds.room import ByteBudget
from newsintel.domain.search.article import Article
from newsintel.domain.search.harvest import Answer, ArchiveWrite, Harvest, Merge
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Dedupe
from newsintel.runtime.spool import Spool
from newsintel.storage.bridge import Bridge
from newsintel.storage.postgres.archive.articles import PostgresArchive
from newsintel.storage.postgres.pool import Postgres

ROWS = 10_000
"""Per turn."""

TURNS = 5

Rows = Sequence[tuple[Article, datetime]]


async def measure_ingest(bridge: Bridge, postgres: Postgres, url: str) -> dict[str, Any]:
    """Return rows per second by each way, and their ratio: median, lowest and highest of the turns.

    It deletes the rows that it inserted.
    """
    lane = bridge.add_lane("COPY", 1)
    stream = iter(
        [
            (evolve(one, id=f"b_{one.id}"), seen)
            for one, seen in Corpus(TURNS * 2 * ROWS, seed=7).generate_articles()
        ]
    )
    rates: dict[str, list[float]] = {"persister": [], "COPY": []}
    for _ in range(TURNS):
        rates["persister"].append(
            await _measure_rate(
                lambda rows: persist_rows(postgres, rows), list(islice(stream, ROWS))
            )
        )
        rates["COPY"].append(
            await _measure_rate(
                lambda rows: lane.run(_copy_rows, url, rows), list(islice(stream, ROWS))
            )
        )
    await lane.run(_restore_archive, url)
    ratios = [one / other for one, other in zip(rates["persister"], rates["COPY"], strict=True)]
    return {name: _compute_spread(found, 0) for name, found in rates.items()} | {
        "ratio": _compute_spread(ratios, 2)
    }


async def persist_rows(postgres: Postgres, rows: Rows) -> None:
    """Send articles to a persister, in answers of half a batch, and wait until all are saved."""
    send, receive = trio.open_memory_channel[Answer](64)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: persister.run(
                receive,
                room=ByteBudget(2**30),
                archive=PostgresArchive(postgres),
                spool=Spool((), _ignore_count),
                count=_ignore_count,
            )
        )
        with send:
            for start in range(0, len(rows), BATCH_ROWS // 2):
                await send.send(ArchiveWrite(_build_answer(rows[start : start + BATCH_ROWS // 2])))


def _build_answer(rows: Rows) -> Answer:
    outcome = FetchOutcome("guardian", Status.OK, rows[0][1], tuple(article for article, _ in rows))
    return Answer(
        Harvest(build_query("news", sources=("guardian",)), rows[0][1], (outcome,)),
        Merge(Dedupe.NORMAL, ()),
    )


async def _measure_rate(take: Callable[[Rows], Awaitable[None]], rows: Rows) -> float:
    began = time.perf_counter()
    await take(rows)
    return len(rows) / (time.perf_counter() - began)


async def _copy_rows(url: str, rows: Rows) -> None:
    connection = await asyncpg.connect(url)
    try:
        await copy_articles(connection, rows)
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge


async def _restore_archive(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("DELETE FROM articles WHERE public_id LIKE 'b_%'")
        await connection.execute("TRUNCATE term_changes")  # changes that cancel each other out
        await connection.execute("SET maintenance_work_mem = '512MB'")
        # Deleted rows would stay in the indexes, and the next run would measure larger ones.
        await connection.execute("REINDEX TABLE articles")
        await connection.execute("VACUUM (ANALYZE) articles")
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge


def _compute_spread(values: Sequence[float], digits: int) -> dict[str, float]:
    middle = statistics.median(values)
    return {
        "median": round(middle, digits),
        "lowest": round(min(values), digits),
        "highest": round(max(values), digits),
    }


def _ignore_count(name: str, amount: float = 1, **labels: str) -> None:
    """Ignore the count."""
