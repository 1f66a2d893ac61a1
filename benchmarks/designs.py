"""`python -m benchmarks.designs SIZE` compares designs for ranking matches (docs/decisions/0010).

It uses the archive of `just bench-archive SIZE`, or creates it.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import trio

from benchmarks.corpus import Corpus
from benchmarks.load import open_archive
from newsintel.domain.archive.model import ArchiveQuery, ArchiveSort, Condition, Field
from newsintel.storage.postgres.archive.search import PostgresSearch

CALLS = 3
"""Per word; there are three words of each kind."""

MATCHES = """
SELECT id, public_id, published_at, ts_rank(search, $1::text::tsquery, 1) AS rank
FROM articles WHERE search @@ $1::text::tsquery
"""

DESIGNS = {
    "rank every match": f"{MATCHES} ORDER BY rank DESC, published_at DESC LIMIT 20",
    "GIN, then the newest 500": f"""
        WITH found AS MATERIALIZED ({MATCHES})
        SELECT * FROM found ORDER BY published_at DESC, public_id LIMIT 500
    """,  # noqa: S608 - our own words
    "newest first until 500": f"{MATCHES} ORDER BY published_at DESC, public_id LIMIT 500",
    "PostgreSQL's estimate of matches": f"EXPLAIN {MATCHES}",
}

# For the design that scans in the order of time: the planner must not choose another plan.
ONLY_WALK = (
    "SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"
)


async def main(size: int) -> None:
    """Print median and maximum of each design in milliseconds: common, middling and rare words."""
    words = Corpus(size).words
    kinds = {
        "common": words[:3],
        "middling": words[200:3_000:1_000],
        "rare": words[20_000:50_000:10_000],
    }
    async with open_archive(size, Path(tempfile.gettempdir()) / "newsintel-bench") as (
        _,
        postgres,
        _url,
    ):
        print(f"{size:,} articles" + "".join(f"{kind:>24}" for kind in kinds))
        for name, sql in DESIGNS.items():
            times = [
                await postgres.run(_time_design, sql, some, "until" in name)
                for some in kinds.values()
            ]
            print(f"{name:34}" + "".join(map(_format_cell, times)))
        search = PostgresSearch(postgres)
        print(
            f"{'windows (the whole call)':34}"
            + "".join([_format_cell(await _time_searches(search, some)) for some in kinds.values()])
        )


async def _time_design(
    connection: Any,
    sql: str,
    words: tuple[str, ...],
    only_walk: bool,  # noqa: FBT001
) -> list[float]:
    times = []
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        if only_walk:
            await connection.execute(ONLY_WALK)
        for word in words * CALLS:
            began = time.perf_counter()
            await connection.fetch(sql, f"'{word}'", timeout=60)
            times.append((time.perf_counter() - began) * 1000)
    return times


async def _time_searches(search: PostgresSearch, words: tuple[str, ...]) -> list[float]:
    times = []
    for word in words * CALLS:
        began = time.perf_counter()
        await search.search(
            ArchiveQuery(((Condition(Field.ANY, word),),), sort=ArchiveSort.RELEVANCE), 20, None
        )
        times.append((time.perf_counter() - began) * 1000)
    return times


def _format_cell(times: list[float]) -> str:
    return f"{statistics.median(times):14.1f} ({max(times):.1f})"


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]))
