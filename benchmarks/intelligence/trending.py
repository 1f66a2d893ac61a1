"""The target `trending`: latency of lists of trends over ten million searches, and cost of upkeep.

It measures lists that are built for the request and lists from the cache. The history is three
months of searches, spread over people as evenly as anonymous traffic. The open days have a mark for
each search. Queries follow Zipf's law, as real ones do (Baeza-Yates and others, "The Impact of
Caching on Search Engines", 2007).
"""

import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle

import asyncpg
from attrs import frozen

from benchmarks.intelligence.report import Options, Report
from benchmarks.report import Goal
from newsintel.config.values import Secret
from newsintel.domain.intelligence.marks import SearchMarker
from newsintel.domain.intelligence.search_counts import TrendWindow
from newsintel.domain.intelligence.trending import rank_trends
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.history import SearchRecord
from newsintel.http.bodies.intelligence import build_trending_body
from newsintel.runtime.telemetry.metrics import Metrics
from newsintel.storage.bridge import open_bridge
from newsintel.storage.embedded.servers import run_embedded_servers
from newsintel.storage.postgres.intelligence.related import PostgresRelatedSearches
from newsintel.storage.postgres.intelligence.search_marks import PostgresSearchMarks
from newsintel.storage.postgres.intelligence.trending import PostgresTrending
from newsintel.storage.postgres.migrate import migrate
from newsintel.storage.postgres.pool import open_postgres
from newsintel.storage.redis.byte_cache import RedisBytes
from newsintel.storage.redis.link import open_redis

ROWS = 10_000_000
QUICK_ROWS = 100_000
DAYS = 90
QUERIES = 200_000
GOAL_MS = 5.0
FLOOR = 3
SHOWN = 20
ROUNDS = 10
"""Of each upkeep task."""

NOW = datetime(2026, 11, 23, 20, tzinfo=UTC)

# The log-uniform distribution is Zipf's law with exponent 1.
INSERT_HISTORY = """
INSERT INTO search_history (query, key, results_count, searched_at)
SELECT
    'query ' || floor($2::float8 ^ random())::integer,
    md5(n::text),
    20,
    $3::timestamptz - random() * $4::interval
FROM generate_series(1, $1::integer) AS n
"""
INSERT_MARKS = """
INSERT INTO search_marks (query, day, mark, seen)
SELECT query, searched_at::date, decode(md5(id::text), 'hex'), searched_at
FROM search_history WHERE searched_at >= $1::timestamptz
"""
INSERT_COUNTS = """
INSERT INTO search_days (query, day, people)
SELECT query, searched_at::date, count(*)
FROM search_history
WHERE searched_at < $1::timestamptz AND searched_at >= $1::timestamptz - interval '12 days'
GROUP BY 1, 2 HAVING count(*) >= 3
"""
# Each person of an open day also searched for one other query.
INSERT_PAIRS = """
INSERT INTO pair_marks (low, high, day, mark)
SELECT least(query, other), greatest(query, other), day, mark
FROM (
    SELECT query, day, mark, 'query ' || floor($1::float8 ^ random())::integer AS other
    FROM search_marks
) AS marks
WHERE query <> other
"""
# Ten of about ten thousand articles. Queries with equal hash bits get the same ten.
INSERT_ANSWERS = """
INSERT INTO search_answers (query, articles, seen)
SELECT
    query,
    array(
        SELECT 'a_' || ((hashtext(query) & 1023) * 10 + one) FROM generate_series(1, 10) AS one
    ),
    max(seen)
FROM search_marks GROUP BY query
"""
TABLES = ("search_history", "search_marks", "search_days", "pair_marks", "search_answers")

Call = Callable[[], Awaitable[object]]


@frozen
class MeasuredPorts:
    """The ports that are measured, and the row counts of the tables."""

    marks: PostgresSearchMarks
    trending: PostgresTrending
    kinship: PostgresRelatedSearches
    kept: RedisBytes
    counts: Mapping[str, int]


async def run(options: Options) -> Report:
    """Measure all figures of trends."""
    rows = QUICK_ROWS if options.quick else ROWS
    async with _open_ports(options, rows) as ports:
        upkeep = await _time_upkeep(ports)
        answers = await _time_answers(ports, options.calls)
    worst = max(found["p95"] for name, found in answers.items() if name.startswith("trending"))
    table = [
        (name, *(f"{found[part]:.2f}" for part in ("p50", "p95", "most")))
        for name, found in {**answers, **upkeep}.items()
    ]
    shown = ", ".join(f"{name} {count:,}" for name, count in ports.counts.items())
    return Report(
        "trending",
        f"lists of trends over {rows:,} searches, ms",
        ("", "p50", "p95", "most"),
        table,
        [
            Goal(
                f"trending p95 <= {GOAL_MS:g} ms at {ROWS:,} searches, cold and kept",
                f"{worst:.2f} ms at {rows:,}",
                worst <= GOAL_MS,
            )
        ],
        [
            f"Rows: {shown}; {DAYS} days, {QUERIES:,} different queries at most.",
            "A call is timed from the port, the bridge included.",
        ],
        {"rows": dict(ports.counts), "ms": {**answers, **upkeep}},
    )


async def _time_answers(ports: MeasuredPorts, calls: int) -> dict[str, dict[str, float]]:
    """Time what a request waits for, in turns.

    These are: building the list and its body, reading the same bytes from Redis, related searches.
    """
    body = to_json(
        build_trending_body(
            TrendWindow.DAY, await ports.trending.list_top(TrendWindow.DAY, FLOOR, SHOWN)
        )
    )
    await ports.kept.put("bench:trending", body, 3600)
    some = cycle([f"query {number}" for number in (1, 2, 5, 20, 100, 1000)])

    async def cold(span: TrendWindow) -> object:
        return to_json(build_trending_body(span, await ports.trending.list_top(span, FLOOR, SHOWN)))

    kinds: dict[str, Call] = {f"trending {span}, cold": partial(cold, span) for span in TrendWindow}
    kinds["trending, out of Redis"] = partial(ports.kept.get, "bench:trending")
    kinds["related, cold"] = lambda: ports.kinship.find_related(
        [next(some)], NOW.date(), FLOOR, own=False
    )
    return await _time_calls(kinds, calls)


async def _time_upkeep(ports: MeasuredPorts) -> dict[str, dict[str, float]]:
    """Time the upkeep: refreshing each list, adding a hundred searches, forgetting a person."""
    marking = SearchMarker([Secret("A" * 43)])
    clock = (NOW + timedelta(seconds=10 * number) for number in range(10_000))
    number = cycle(range(10**9))

    def record() -> SearchRecord:
        query = f"query {next(number) % 5000}"
        return SearchRecord(
            query, "k", 20, NOW, None, f"person {next(number)}", "", query, ("a_1", "a_2")
        )

    async def refresh(span: TrendWindow) -> object:
        return await ports.trending.rebuild_list(
            span, next(clock), FLOOR, partial(rank_trends, limit=100)
        )

    async def add() -> object:
        return await ports.marks.add(
            [found for _ in range(100) if (found := marking.mark(record()))]
        )

    kinds: dict[str, Call] = {
        f"upkeep: {span} counted": partial(refresh, span) for span in TrendWindow
    }
    kinds["upkeep: 100 searches added"] = add
    kinds["upkeep: a person forgotten"] = lambda: ports.marks.forget_person(
        marking.make_marks_finder("person 1")
    )
    return await _time_calls(kinds, ROUNDS)


async def _time_calls(kinds: Mapping[str, Call], calls: int) -> dict[str, dict[str, float]]:
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(calls):
        for name, call in kinds.items():
            began = time.perf_counter()
            await call()
            times[name].append((time.perf_counter() - began) * 1000)
    return {
        name: {
            "p50": statistics.median(found),
            "p95": statistics.quantiles(found, n=20, method="inclusive")[18],
            "most": max(found),
        }
        for name, found in times.items()
    }


@asynccontextmanager
async def _open_ports(options: Options, rows: int) -> AsyncIterator[MeasuredPorts]:
    async with (
        run_embedded_servers(options.folder / f"history-{rows}") as own,
        open_bridge() as bridge,
    ):
        url, lane = own.postgres_url or "", bridge.add_lane("loading", 1)
        async with (
            open_postgres(bridge, Secret(url), None, 4) as postgres,
            open_redis(bridge, Secret(own.redis_url or ""), None) as redis,
        ):
            await migrate(lane, Secret(url), None, postgres)
            counts = await lane.run(_fill_tables, url, rows)
            kept = RedisBytes(redis, Metrics().count)
            yield MeasuredPorts(
                PostgresSearchMarks(postgres),
                PostgresTrending(postgres),
                PostgresRelatedSearches(postgres),
                kept,
                counts,
            )


async def _fill_tables(url: str, rows: int) -> dict[str, int]:
    """Create the history if no earlier run left it, and fill the counting tables from it.

    Call it on the asyncio side.
    """
    connection = await asyncpg.connect(url)
    try:
        opened = datetime(NOW.year, NOW.month, NOW.day - 1, tzinfo=UTC)
        if await connection.fetchval("SELECT count(*) FROM search_history") != rows:
            print(f"making {rows:,} searches", flush=True)
            await connection.execute("TRUNCATE search_history")
            await connection.execute(
                INSERT_HISTORY, rows, float(QUERIES), NOW, timedelta(days=DAYS)
            )
        await connection.execute(f"TRUNCATE {', '.join(TABLES[1:])}, trending, trending_made")
        await connection.execute(INSERT_MARKS, opened)
        await connection.execute(INSERT_COUNTS, opened)
        await connection.execute(INSERT_PAIRS, float(QUERIES))
        await connection.execute(INSERT_ANSWERS)
        for table in TABLES:
            await connection.execute(f"VACUUM (ANALYZE) {table}")
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - ours
            for table in TABLES
        }
    finally:
        await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge
