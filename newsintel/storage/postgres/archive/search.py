"""The ArchiveSearch port.

`tags` and `walk` explain how it finds matches fast, `orders` explains their order.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Concatenate, ParamSpec, TypeVar

from asyncpg import Record

from newsintel.domain.archive.model import (
    ArchivePage,
    ArchiveQuery,
    ArchiveSort,
    Bar,
    Bucket,
    Condition,
    Facets,
    Field,
    Hit,
    Snippet,
)
from newsintel.domain.archive.passages import MAX_TEXT_CHARS, find_passage
from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.paging import Position
from newsintel.domain.search.matching import Run, build_runs
from newsintel.domain.text.languages import SIMPLE
from newsintel.errors import ArchiveTimeoutError
from newsintel.storage.loop_turns import run_in_loop_turns
from newsintel.storage.postgres.archive.article_rows import LISTED, article_of
from newsintel.storage.postgres.archive.conditions import SqlCondition, build_condition
from newsintel.storage.postgres.archive.duplicates import GROUP_ID
from newsintel.storage.postgres.archive.orders import (
    NEWEST,
    OLDEST,
    ROWS,
    Place,
    RankedPlace,
    build_after_place_sql,
    rank_sql,
    sort_best_first,
)
from newsintel.storage.postgres.archive.tags import TAGS, compute_slot, cover_slots
from newsintel.storage.postgres.archive.timeline import MOST_BARS, build_bars, too_many_bars_error
from newsintel.storage.postgres.archive.walk import TimeRange, walk_rows, walk_until, window_sql
from newsintel.storage.postgres.failures import TOO_SLOW
from newsintel.storage.postgres.pool import Connection, Postgres

Runs = Sequence[Run]
P = ParamSpec("P")
T = TypeVar("T")

UNIT_S = 1.5
"""Timeout of all commands of one call together. The server has the same timeout for each command.
"""

FACET_ROWS = 10_000
"""Number of matches that facets count. For a common word at a million articles, reading them takes
20 ms (docs/decisions/0010).
"""

FACET_ROWS_A_SLICE = 500
"""Rows that one slice counts or sorts: about 1 ms."""

FACET_VALUES = 20
"""Most values of each facet (contract)."""

COUNTED, BY_FACET = "source, publisher, count(*) AS number", "GROUP BY source, publisher"
NEWEST_FACETS = f"""
WITH found AS MATERIALIZED (
    SELECT source, publisher FROM articles
    WHERE {{condition}} ORDER BY {NEWEST} LIMIT {FACET_ROWS + 1}
),
newest AS (SELECT * FROM found LIMIT {FACET_ROWS})
SELECT {COUNTED}, (SELECT count(*) FROM found) > {FACET_ROWS} AS more FROM newest {BY_FACET}
"""
"""`more` is true if there are older matches, which are not counted."""

HELD = """
SELECT source FROM unnest($1::text[]) AS source
WHERE EXISTS (SELECT FROM articles WHERE articles.source = source.source)
"""

ENDS = "SELECT min(published_at) AS oldest, max(published_at) AS newest FROM articles"

LANGUAGES = """
WITH RECURSIVE held AS (
    (SELECT text_language FROM articles
     WHERE text_language IS NOT NULL ORDER BY text_language LIMIT 1)
    UNION ALL
    SELECT (SELECT text_language FROM articles
            WHERE text_language > held.text_language ORDER BY text_language LIMIT 1)
    FROM held WHERE held.text_language IS NOT NULL
)
SELECT text_language FROM held WHERE text_language IS NOT NULL
"""
"""The languages by whose rules texts were indexed: one index look-up for each."""

_BODY = f"left(concat_ws(' ', description, left(content, {MAX_TEXT_CHARS})), {MAX_TEXT_CHARS})"
FOUND = f"""
SELECT id, {LISTED}, first_seen_at, fetched_at, text_language, {{body}} AS body, {GROUP_ID}
FROM articles AS this WHERE id = ANY($1::bigint[])
"""
FOUND_WITH_BODY, FOUND_BARE = FOUND.format(body=_BODY), FOUND.format(body="NULL")


class PostgresSearch:
    """Search over the archive. Every method is one unit of work on one connection."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def search(self, query: ArchiveQuery, limit: int, after: Position | None) -> ArchivePage:
        """The last page of ranked matches may be short; the next one begins with older matches."""
        return await self._postgres.run(_search, query, limit, after)

    async def count_timeline(self, query: ArchiveQuery, bucket: Bucket) -> tuple[Bar, ...]:
        build_bars({}, query.start, query.end, bucket)
        return await self._postgres.run(_count_timeline, query, bucket)

    async def count_facets(self, query: ArchiveQuery) -> Facets:
        return await self._postgres.run(_count_facets, query)

    async def find_archived_sources(self, sources: Sequence[str]) -> frozenset[str]:
        """One index look-up for each source."""
        return await self._postgres.run(_find_archived_sources, list(sources))


def limit_time(
    unit: Callable[Concatenate[Connection, P], Awaitable[T]],
) -> Callable[Concatenate[Connection, P], Coroutine[Any, Any, T]]:
    """Limit a unit to UNIT_S; raise ArchiveTimeoutError if it takes longer."""

    async def bounded(connection: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with asyncio.timeout(UNIT_S):
                return await unit(connection, *args, **kwargs)
        except TimeoutError as error:
            raise ArchiveTimeoutError(TOO_SLOW) from error

    return bounded


@limit_time
async def _search(
    connection: Connection, query: ArchiveQuery, limit: int, after: Position | None
) -> ArchivePage:
    condition = await prepare_condition(connection, query)
    if (
        query.sort is ArchiveSort.RELEVANCE
        and condition.words
        and (after is None or after.keys[0] == "ranked")
    ):
        rows, following = await _read_page_by_rank(
            connection, condition, query, limit, RankedPlace.from_position(after)
        )
    else:
        rows, following = await read_page_by_time(connection, condition, query, limit, after)
    return ArchivePage(await load_hits(connection, rows, condition.wanted), following)


async def prepare_condition(connection: Connection, query: ArchiveQuery) -> SqlCondition:
    """Return the condition of a query; raises as `build_condition`."""
    held = await list_languages(connection) if query.alternatives else ()
    return await run_in_loop_turns(build_condition(query, held))


async def list_languages(connection: Connection) -> tuple[str, ...]:
    """Return the languages by whose rules the archive's texts were indexed, in order."""
    return tuple(row["text_language"] for row in await connection.fetch(LANGUAGES))


async def read_page_by_time(
    connection: Connection,
    condition: SqlCondition,
    query: ArchiveQuery,
    limit: int,
    after: Position | None,
) -> tuple[Sequence[Any], Position | None]:
    """Return the next page by time, and the position of the page after it."""
    oldest = query.sort is ArchiveSort.OLDEST
    tail = f"ORDER BY {OLDEST if oldest else NEWEST} LIMIT {limit + 1}"
    sql, values = condition.sql, list(condition.values)
    span = TimeRange(query.start, query.end)
    if after is not None:
        place = Place.from_keys(after.keys[-2:])
        sql += " AND " + build_after_place_sql(len(values) + 1, oldest=oldest)
        values += [place.at, place.public_id]
        span = TimeRange(place.at, query.end) if oldest else TimeRange(query.start, place.at)
    if condition.narrow:
        window = window_sql(sql, len(values), ROWS, f"SELECT * FROM found {tail}")
        rows = await walk_rows(connection, window, values, span, limit + 1, newest_first=not oldest)
    else:
        rows = await connection.fetch(f"SELECT {ROWS} FROM articles WHERE {sql} {tail}", *values)
    page = rows[:limit]
    return page, Position(Place.of(page[-1]).keys) if len(rows) > limit else None


async def _read_page_by_rank(
    connection: Connection,
    condition: SqlCondition,
    query: ArchiveQuery,
    limit: int,
    after: RankedPlace | None,
) -> tuple[Sequence[Any], Position | None]:
    """Return the next page of ranked matches, and the position of the page after it.

    That page begins among the ranked matches, or with the older ones.
    """
    wanted = max(condition.candidates, limit)
    rows = await _read_candidates(connection, condition, query, wanted, after)
    if after is None:
        if not rows:
            return rows, None
        top = rows[0]["published_at"]
        floor = Place.of(rows[wanted - 1]) if len(rows) > wanted else None
        rows = rows[:wanted]
    else:
        top, floor = after.top, after.floor
    best = sort_best_first(rows, after)
    page = best[:limit]
    if len(best) > limit:
        return page, RankedPlace(page[-1]["rank"], Place.of(page[-1]), top, floor).position
    return page, Position(("older", *floor.keys)) if floor else None


async def _read_candidates(
    connection: Connection,
    condition: SqlCondition,
    query: ArchiveQuery,
    wanted: int,
    after: RankedPlace | None,
) -> list[Record]:
    """Return the matches to rank, newest first.

    For the first page: up to `wanted` and one more. For a later page: all between its bounds.
    """
    values = [*condition.values, condition.words, condition.exact]
    words, exact = f"${len(values) - 1}::text::tsquery", f"${len(values)}::text::tsquery"
    columns = f"{ROWS}, {rank_sql(words, exact)} AS rank"
    most = wanted + 1 if after is None else None
    sql = condition.sql
    if after is not None:
        values.append(after.top)
        sql += f" AND published_at <= ${len(values)}::timestamptz"
    span = TimeRange(
        after.floor.at if after and after.floor else query.start, after.top if after else query.end
    )
    window = window_sql(
        sql,
        len(values),
        columns,
        f"SELECT * FROM found ORDER BY {NEWEST}" + (f" LIMIT {most}" if most else ""),
    )
    return await walk_rows(connection, window, values, span, most or sys.maxsize)


@limit_time
async def _count_timeline(
    connection: Connection, query: ArchiveQuery, bucket: Bucket
) -> tuple[Bar, ...]:
    condition = await prepare_condition(connection, query)
    sql, values = condition.sql, [*condition.values, bucket.value]
    if condition.narrow and query.start:
        first, last = await _clip_to_archive(connection, query.start, query.end)
        values.append(list(cover_slots(compute_slot(first), compute_slot(last) + 1)))
        sql += f" AND {TAGS} && ${len(values)}::text[]"
    bar_start = f"date_trunc(${len(condition.values) + 1}::text, published_at, 'UTC')"
    counting = f"SELECT {bar_start}, count(*) FROM articles WHERE {sql} GROUP BY 1"
    counts = await connection.fetch(f"{counting} LIMIT {MOST_BARS + 1}", *values)
    if len(counts) > MOST_BARS:
        raise too_many_bars_error()
    return build_bars(dict(counts), query.start, query.end, bucket)


async def _clip_to_archive(
    connection: Connection, start: datetime, end: datetime | None
) -> tuple[datetime, datetime]:
    """Cut a time range to the archive's oldest and newest article: two index look-ups.

    The returned start may be after the returned end.
    """
    held = await connection.fetchrow(ENDS)
    if held["oldest"] is None:
        return start, start
    return max(start, held["oldest"]), min(end or held["newest"], held["newest"])


@limit_time
async def _count_facets(connection: Connection, query: ArchiveQuery) -> Facets:
    condition = await prepare_condition(connection, query)
    if condition.narrow:
        sql = window_sql(
            condition.sql,
            len(condition.values),
            "source, publisher",
            f"SELECT {COUNTED} FROM found {BY_FACET}",
        )
        rows, ended = await walk_until(
            connection,
            sql,
            condition.values,
            TimeRange(query.start, query.end),
            FACET_ROWS,
            weigh=_sum_numbers,
        )
    else:
        rows = await connection.fetch(
            NEWEST_FACETS.format(condition=condition.sql), *condition.values
        )
        ended = not any(row["more"] for row in rows)
    return await run_in_loop_turns(_count_in_slices(rows, ended=ended))


@limit_time
async def _find_archived_sources(connection: Connection, sources: list[str]) -> frozenset[str]:
    return frozenset(row["source"] for row in await connection.fetch(HELD, sources))


def _sum_numbers(rows: Sequence[Any]) -> int:
    return sum(row["number"] for row in rows)


def _count_in_slices(rows: Sequence[Any], *, ended: bool) -> Sliced[Facets]:
    """Count facets in slices, since there may be as many publishers as matches.

    Args:
        rows: each the number of matches of a source and a publisher.
        ended: whether all matches are in `rows`.
    """
    sources, publishers = Counter[str](), Counter[str]()
    for turn, row in enumerate(rows, 1):
        sources[row["source"]] += row["number"]
        publishers[row["publisher"]] += row["number"]
        if turn % FACET_ROWS_A_SLICE == 0:
            yield
    return Facets(
        (yield from _find_most_common(sources)),
        (yield from _find_most_common(publishers)),
        None if ended else sources.total(),
    )


def _find_most_common(counts: Counter[str]) -> Sliced[tuple[tuple[str, int], ...]]:
    best: list[tuple[str, int]] = []
    left = iter(counts.items())
    while some := list(islice(left, FACET_ROWS_A_SLICE)):
        best = sorted(best + some, key=lambda one: (-one[1], one[0]))[:FACET_VALUES]
        yield
    return tuple(best)


async def load_hits(
    connection: Connection, rows: Sequence[Any], wanted: Sequence[Condition]
) -> tuple[Hit, ...]:
    """Return the articles of a page, each with a snippet that shows why it matches."""
    if not rows:
        return ()
    found = await connection.fetch(
        FOUND_WITH_BODY if wanted else FOUND_BARE, [row["id"] for row in rows]
    )
    return await run_in_loop_turns(_build_hits(rows, found, wanted))


def _build_hits(
    rows: Sequence[Any], found: Sequence[Any], wanted: Sequence[Condition]
) -> Sliced[tuple[Hit, ...]]:
    """Return the hits of a page in the order of `rows`.

    This is one piece of sliced work, because a pause for each hit would cost as much as its
    snippet.
    """
    hits = {}
    asked: dict[str, tuple[Runs, Runs]] = {}
    for row in found:
        snippet = (yield from _build_snippet(row, wanted, asked)) if wanted else None
        times = row["first_seen_at"], row["fetched_at"]
        hits[row["id"]] = Hit(article_of(row), *times, snippet, row["group_id"])
        yield
    return tuple(hits[row["id"]] for row in rows if row["id"] in hits)


def _build_snippet(
    row: Any, wanted: Sequence[Condition], asked: dict[str, tuple[Runs, Runs]]
) -> Sliced[Snippet | None]:
    """Return a snippet of description and content, else of the title.

    Args:
        row: the article's row.
        wanted: the wanted conditions.
        asked: a cache of `wanted` by the rules of each language, for a text and for a title.
    """
    language = row["text_language"] or SIMPLE
    if language not in asked:
        asked[language] = (
            build_runs((one for one in wanted if one.field is Field.ANY), language),
            build_runs(wanted, language),
        )
    anywhere, anything = asked[language]
    return (yield from find_passage(row["body"], anywhere, language)) or (
        yield from find_passage(row["title"], anything, language)
    )
