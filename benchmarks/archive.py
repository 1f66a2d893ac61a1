"""`just bench-archive [SIZE…]` measures latency and ingest rate of the archive at several sizes.

A call is timed at the port: it includes the bridge, round trips, PostgreSQL and decoding. Client
and server run on one machine.
"""

import argparse
import json
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import trio

from benchmarks import queries
from benchmarks.corpus import Corpus
from benchmarks.ingest import measure_ingest
from benchmarks.load import open_archive
from newsintel.actors.merger import ARCHIVE_LIMIT
from newsintel.domain.archive.model import ArchiveQuery, Bucket
from newsintel.storage.postgres.archive.search import PostgresSearch

SIZES = (100_000, 1_000_000)
CALLS = 200
"""Per class. The classes take turns, so that they share the caches."""

PAGE = 20
RESULTS = Path(__file__).parent / "results" / "archive.json"

GOALS = {"newest": 5, "relevance": 25, "facets and timelines": 100}
"""Milliseconds: goals for the 95th percentile over all classes of a kind at a million articles."""

SELECT_SIZES = """
SELECT
    c.relname,
    pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)
FROM pg_class AS c WHERE c.relname LIKE 'articles%' AND c.relkind IN ('r', 'i') ORDER BY 2 DESC
"""

Call = Callable[[], Awaitable[object]]


def list_calls(search: PostgresSearch, corpus: Corpus) -> Mapping[str, Mapping[str, list[Call]]]:
    """Return every call, by kind and class."""

    def find(query: ArchiveQuery, limit: int = PAGE) -> Call:
        return lambda: search.search(query, limit, None)

    def count(query: ArchiveQuery) -> Call:
        return lambda: search.count_facets(query)

    def draw(query: ArchiveQuery) -> Call:
        return lambda: search.count_timeline(query, Bucket.DAY)

    counting = {
        name: [count(one) for one in some] for name, some in queries.build_facets(corpus).items()
    }
    drawing = {
        name: [draw(one) for one in some] for name, some in queries.build_timelines(corpus).items()
    }
    return {
        "newest": {
            name: [find(one) for one in some] for name, some in queries.build_newest(corpus).items()
        },
        "newest with words": {
            name: [find(one) for one in some]
            for name, some in queries.build_newest_words(corpus).items()
        },
        "relevance": {
            name: [find(one) for one in some]
            for name, some in queries.build_relevance(corpus).items()
        },
        "in place of sources": {
            name: [find(one, ARCHIVE_LIMIT) for one in some]
            for name, some in queries.build_stand_ins(corpus).items()
        },
        "facets and timelines": counting | drawing,
    }


async def measure_latency(search: PostgresSearch, corpus: Corpus) -> dict[str, dict[str, float]]:
    """Return the percentiles of each class, and of each kind over all classes, in milliseconds."""
    kinds = list_calls(search, corpus)
    turns = [
        (kind, name, some[number % len(some)])
        for kind, each in kinds.items()
        for name, some in each.items()
        for number in range(CALLS)
    ]
    random.Random(1).shuffle(turns)  # noqa: S311 - nothing secret
    for _, _, call in turns[:: CALLS // 10]:
        await call()
    times: dict[str, list[float]] = {
        label: [] for kind, each in kinds.items() for label in (f"{kind}:", *each)
    }
    for kind, name, call in turns:
        began = time.perf_counter()
        await call()
        spent = (time.perf_counter() - began) * 1000
        times[name].append(spent)
        times[f"{kind}:"].append(spent)
    return {name: _compute_percentiles(found) for name, found in times.items()}


def _compute_percentiles(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {f"p{part}": round(cuts[part - 1], 2) for part in (50, 95, 99)}


async def measure_size(size: int, folder: Path) -> dict[str, Any]:
    """Measure all figures of one size."""
    async with open_archive(size, folder) as (bridge, postgres, url):
        print(f"{size:,} articles: measuring latency", flush=True)
        latency = await measure_latency(PostgresSearch(postgres), Corpus(size))
        sizes = await postgres.run(_read_sizes)
        weights = {name: round(each / size, 1) for name, each in sizes}
        print(f"{size:,} articles: measuring ingest", flush=True)
        return {
            "latency_ms": latency,
            "bytes_per_article": weights,
            "ingest": await measure_ingest(bridge, postgres, url),
        }


async def _read_sizes(connection: Any) -> list[Any]:
    found: list[Any] = await connection.fetch(SELECT_SIZES)
    return found


def print_results(results: Mapping[str, Any]) -> None:
    """Print the table: a row per class, the sizes side by side."""
    sizes = list(results)
    print("\n" + " " * 24 + "".join(f"{int(size):>12,} articles        " for size in sizes))
    print(f"{'ms':24}" + "".join(f"{'p50':>8}{'p95':>9}{'p99':>9}   " for _ in sizes))
    for name in results[sizes[0]]["latency_ms"]:
        rows = (results[size]["latency_ms"][name] for size in sizes)
        goal = GOALS.get(name.rstrip(":")) if name.endswith(":") else None
        print(
            f"{name:24}"
            + "".join(f"{row['p50']:8.2f} {row['p95']:8.2f} {row['p99']:8.2f}   " for row in rows)
            + (f"goal: p95 <= {goal}" if goal else "")
        )
    for size in sizes:
        print(
            f"\n{int(size):,} articles, bytes per article: "
            + ", ".join(
                f"{name} {each:g}" for name, each in results[size]["bytes_per_article"].items()
            )
        )
        shown = (
            f"{name} {each['median']:g} ({each['lowest']:g} to {each['highest']:g})"
            for name, each in results[size]["ingest"].items()
        )
        print(
            f"{int(size):,} articles, ingest in rows per second, and the ratio: " + ", ".join(shown)
        )


def main() -> None:
    """Run everything and store the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "newsintel-bench",
        help="where archives are stored",
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    results = {str(size): trio.run(measure_size, size, given.folder) for size in given.sizes}
    print_results(results)
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
    }
    command = "just bench-archive " + " ".join(map(str, given.sizes))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(
        json.dumps(
            {
                "command": command,
                "calls_of_each_class": CALLS,
                "machine": machine,
                "sizes": results,
            },
            indent=2,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
