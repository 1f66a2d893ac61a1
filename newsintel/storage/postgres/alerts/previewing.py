"""What a query would have brought lately, each story once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from newsintel.domain.alerts.model import PREVIEW_DAYS, Preview, WatchedQuery
from newsintel.domain.alerts.watched import build_watched
from newsintel.domain.archive.model import Bucket
from newsintel.storage.postgres.alerts.anchor_keys import check_share, find_anchors
from newsintel.storage.postgres.archive.hits import load_hits
from newsintel.storage.postgres.archive.orders import NEWEST
from newsintel.storage.postgres.archive.prepared_condition import prepare_condition
from newsintel.storage.postgres.archive.tags import TAGS, compute_slot, cover_slots
from newsintel.storage.postgres.archive.timeline import build_bars
from newsintel.storage.postgres.archive.unit_time import limit_time
from newsintel.storage.postgres.pool import Connection

LISTED_STORIES = 10
LISTED_PUBLISHERS = 20

# A story is an article without duplicates, or all members of one group; its first match counts.
FOUND = f"""
WITH matching AS MATERIALIZED (
    SELECT coalesce(founder_id, id) AS story, id, public_id, publisher, published_at
    FROM articles LEFT JOIN article_stories ON article_id = id WHERE {{condition}}
),
found AS MATERIALIZED (
    SELECT DISTINCT ON (story) * FROM matching ORDER BY story, published_at, public_id
)
SELECT date_trunc('day', published_at, 'UTC') AS day, publisher, count(*) AS stories,
    NULL::bigint AS id
FROM found GROUP BY GROUPING SETS ((1), (2))
UNION ALL
SELECT NULL, NULL, count(DISTINCT (story, publisher)) - count(DISTINCT story), NULL FROM matching
UNION ALL (
    SELECT NULL, NULL, 0, id FROM found ORDER BY {NEWEST} LIMIT {LISTED_STORIES}
)
"""  # noqa: S608 - our own names and numbers


@limit_time
async def preview_query(connection: Connection, query: WatchedQuery, now: datetime) -> Preview:
    """Return the preview of a query that could be saved."""
    await find_anchors(connection, build_watched(query))
    await check_share(connection, build_watched(query))
    start = now - timedelta(days=PREVIEW_DAYS)
    condition = await prepare_condition(connection, build_watched(query, start, now))
    sql, values = condition.sql, list(condition.values)
    if condition.narrow:
        values.append(list(cover_slots(compute_slot(start), compute_slot(now) + 1)))
        sql += f" AND {TAGS} && ${len(values)}::text[]"
    rows = await connection.fetch(FOUND.format(condition=sql), *values)
    newest = [row for row in rows if row["id"] is not None]
    (later,) = (row["stories"] for row in rows if _is_total(row))
    days = {row["day"]: row["stories"] for row in rows if row["day"] is not None}
    return Preview(
        sum(days.values()),
        tuple((bar.start, bar.count) for bar in build_bars(days, start, now, Bucket.DAY)),
        _list_publishers(rows),
        await load_hits(connection, newest, condition.wanted),
        later_members=later,
    )


def _is_total(row: Any) -> bool:
    """Whether a row is that of the later members."""
    return all(row[name] is None for name in ("day", "publisher", "id"))


def _list_publishers(rows: Sequence[Any]) -> tuple[tuple[str, int], ...]:
    counts = [(row["publisher"], row["stories"]) for row in rows if row["publisher"] is not None]
    return tuple(sorted(counts, key=lambda one: (-one[1], one[0]))[:LISTED_PUBLISHERS])
