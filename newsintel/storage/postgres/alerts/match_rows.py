"""Stores matches, each story once for a search, and puts them into the outbox."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from newsintel.domain.alerts.digests import Every, next_due
from newsintel.domain.bounds.chunks import cut_into_chunks
from newsintel.storage.postgres.accounts.accounts import new_id
from newsintel.storage.postgres.alerts.candidates import Candidate
from newsintel.storage.postgres.archive.article_rows import transpose_rows
from newsintel.storage.postgres.pool import Connection

STORED_AT_ONCE = 2_000
"""Rows of one statement: about 0.1 s."""

# A search that is deleted meanwhile waits for this transaction; one that is gone is left out.
HOLD = """
SELECT id FROM saved_searches WHERE id = ANY($1::bigint[]) AND NOT paused ORDER BY id
FOR KEY SHARE
"""

# The second condition finds a story whose founder was deleted: its members got another one.
ADD = """
INSERT INTO search_matches (saved_search_id, group_id, article_id, matched_at)
SELECT DISTINCT ON (found.search, placed.founder_id)
    found.search, placed.founder_id, found.article, $3::timestamptz
FROM unnest($1::bigint[], $2::bigint[]) AS found (search, article)
JOIN article_stories AS placed ON placed.article_id = found.article
WHERE NOT EXISTS (
    SELECT FROM article_stories AS member JOIN search_matches AS earlier USING (article_id)
    WHERE member.founder_id = placed.founder_id AND earlier.saved_search_id = found.search
)
ORDER BY found.search, placed.founder_id, found.article
ON CONFLICT DO NOTHING
RETURNING saved_search_id, group_id
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
    held = {row["id"] for row in await connection.fetch(HOLD, wanted)} if wanted else set()
    pairs = sorted(
        (search, one.article) for one in candidates for search in one.searches if search in held
    )
    groups: dict[int, list[int]] = defaultdict(list)
    for some in cut_into_chunks(pairs, STORED_AT_ONCE):
        for row in await connection.fetch(ADD, *transpose_rows(some), now):
            groups[row["saved_search_id"]].append(row["group_id"])
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
