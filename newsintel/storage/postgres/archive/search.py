"""The ArchiveSearch port.

`tags` and `walk` explain how it finds matches fast, `orders` explains their order.
"""

import sys
from collections.abc import Sequence
from typing import Any

from asyncpg import Record

from newsintel.domain.archive.model import (
    ArchivePage,
    ArchiveQuery,
    ArchiveSort,
    Bar,
    Bucket,
    Facets,
)
from newsintel.domain.paging import Position
from newsintel.storage.postgres.archive.conditions import SqlCondition
from newsintel.storage.postgres.archive.facet_counts import count_facets
from newsintel.storage.postgres.archive.hits import load_hits
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
from newsintel.storage.postgres.archive.prepared_condition import prepare_condition
from newsintel.storage.postgres.archive.timeline import build_bars
from newsintel.storage.postgres.archive.timeline_counts import count_timeline
from newsintel.storage.postgres.archive.unit_time import limit_time
from newsintel.storage.postgres.archive.walk import TimeRange, walk_rows, window_sql
from newsintel.storage.postgres.pool import Connection, Postgres

HELD = """
SELECT source FROM unnest($1::text[]) AS source
WHERE EXISTS (SELECT FROM articles WHERE articles.source = source.source)
"""


class PostgresSearch:
    """Search over the archive. Every method is one unit of work on one connection."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def search(self, query: ArchiveQuery, limit: int, after: Position | None) -> ArchivePage:
        """The last page of ranked matches may be short; the next one begins with older matches."""
        return await self._postgres.run(_search, query, limit, after)

    async def count_timeline(self, query: ArchiveQuery, bucket: Bucket) -> tuple[Bar, ...]:
        build_bars({}, query.start, query.end, bucket)
        return await self._postgres.run(count_timeline, query, bucket)

    async def count_facets(self, query: ArchiveQuery) -> Facets:
        return await self._postgres.run(count_facets, query)

    async def find_archived_sources(self, sources: Sequence[str]) -> frozenset[str]:
        """One index look-up for each source."""
        return await self._postgres.run(_find_archived_sources, list(sources))


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
async def _find_archived_sources(connection: Connection, sources: list[str]) -> frozenset[str]:
    return frozenset(row["source"] for row in await connection.fetch(HELD, sources))
