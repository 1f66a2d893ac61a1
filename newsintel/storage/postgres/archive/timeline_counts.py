"""Counts the matches of a search by their time."""

from datetime import datetime

from newsintel.domain.archive.model import ArchiveQuery, Bar, Bucket
from newsintel.storage.postgres.archive.prepared_condition import prepare_condition
from newsintel.storage.postgres.archive.tags import TAGS, compute_slot, cover_slots
from newsintel.storage.postgres.archive.timeline import MOST_BARS, build_bars, too_many_bars_error
from newsintel.storage.postgres.archive.unit_time import limit_time
from newsintel.storage.postgres.pool import Connection

ENDS = "SELECT min(published_at) AS oldest, max(published_at) AS newest FROM articles"


@limit_time
async def count_timeline(
    connection: Connection, query: ArchiveQuery, bucket: Bucket
) -> tuple[Bar, ...]:
    """Count the matches of a search for each bar.

    Raises:
        ArchiveTimeoutError: it took longer than UNIT_S.
    """
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
