"""Stores matches, and puts them into the outbox."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from newsintel.domain.alerts.digests import Every, next_due
from newsintel.domain.bounds.chunks import cut_into_chunks
from newsintel.storage.postgres.accounts.accounts import new_id
from newsintel.storage.postgres.alerts.candidates import Candidate
from newsintel.storage.postgres.alerts.told_stories import STORED_AT_ONCE, add_matches
from newsintel.storage.postgres.archive.article_rows import transpose_rows
from newsintel.storage.postgres.pool import Connection

# A search that is deleted meanwhile waits for this transaction; one that is gone is left out.
HOLD = """
SELECT id, later_members FROM saved_searches WHERE id = ANY($1::bigint[]) AND NOT paused
ORDER BY id FOR KEY SHARE
"""

CHANNELS = """
SELECT channel.id, saved_search_id, every, time_zone
FROM alert_channels AS channel JOIN saved_searches AS search ON search.id = saved_search_id
WHERE saved_search_id = ANY($1::bigint[]) AND kind <> 'feed' AND disabled_at IS NULL
ORDER BY channel.id FOR KEY SHARE OF channel
"""

# The deliverer skips these rows while they are locked; one that it has claimed is not open.
OPEN = """
SELECT id, channel_id FROM alert_deliveries
WHERE channel_id = ANY($1::bigint[]) AND state = 'pending' AND attempts = 0
    AND claimed_until IS NULL AND NOT is_test
ORDER BY id FOR UPDATE
"""

DELIVER = """
INSERT INTO alert_deliveries (id, channel_id, created_at, due_at)
SELECT id, channel_id, $4, due_at
FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS row (id, channel_id, due_at)
"""

FILL = """
INSERT INTO alert_delivery_matches (delivery_id, saved_search_id, group_id)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
"""


async def store_matches(
    connection: Connection, candidates: Sequence[Candidate], now: datetime
) -> None:
    """Store what matched, and put what is new into the outbox; the caller opened the transaction.

    Args:
        connection: with the transaction.
        candidates: those that match.
        now: the time of the matches.
    """
    wanted = sorted({search for one in candidates for search in one.searches})
    held = await connection.fetch(HOLD, wanted) if wanted else []
    alive = {row["id"] for row in held}
    pairs = sorted(
        (search, one.article) for one in candidates for search in one.searches if search in alive
    )
    later = {row["id"] for row in held if row["later_members"]}
    groups: dict[int, list[int]] = defaultdict(list)
    for search, group in await add_matches(connection, pairs, later, now):
        groups[search].append(group)
    for searches in cut_into_chunks(sorted(groups), STORED_AT_ONCE):
        await _put_out(connection, {search: groups[search] for search in searches}, now)


async def _put_out(connection: Connection, groups: dict[int, list[int]], now: datetime) -> None:
    """Put new matches into the open delivery of each channel; make one where there is none.

    Args:
        connection: with the transaction.
        groups: the new stories of each search.
        now: the time of the matches.
    """
    channels = await connection.fetch(CHANNELS, list(groups))
    ids = [row["id"] for row in channels]
    opened = {row["channel_id"]: row["id"] for row in await connection.fetch(OPEN, ids)}
    fresh = [
        (new_id("d"), row["id"], next_due(Every(row["every"]), row["time_zone"], now))
        for row in channels
        if row["id"] not in opened
    ]
    if fresh:
        await connection.execute(DELIVER, *transpose_rows(fresh), now)
    opened |= {channel: delivery for delivery, channel, _ in fresh}
    filled = [
        (opened[row["id"]], row["saved_search_id"], group)
        for row in channels
        for group in groups[row["saved_search_id"]]
    ]
    for some in cut_into_chunks(filled, STORED_AT_ONCE):
        await connection.execute(FILL, *transpose_rows(some))
