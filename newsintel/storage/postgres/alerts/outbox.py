"""The outbox of alerts: who sends what, and what came of it. A part of the Deliveries port.

A claim is the time at which it ends, in the delivery's row. It is set under a lock that other
processes skip, and an attempt is stored only while the claim is still the same. So a process that
was killed, or that was too slow, changes nothing, and its delivery is claimed again.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from asyncpg import Record

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import (
    MAX_STORIES,
    Attempt,
    ClaimedDelivery,
    DeliveryState,
    Outcome,
    Settlement,
)
from newsintel.domain.alerts.signing import SigningKey
from newsintel.domain.security.sealing import Sealer
from newsintel.errors import UnknownKeyError
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.storage.postgres.alerts.channel_keys import open_keys
from newsintel.storage.postgres.alerts.listed_stories import build_match, list_stories
from newsintel.storage.postgres.pool import Connection

log = get_logger(__name__)

# A digest is filled by transactions that hold a lock on its row, so it is not claimed before they
# have ended. A paused search sends tests only, and so does an e-mail address that is not confirmed.
CLAIM = """
WITH due AS (
    SELECT delivery.id FROM alert_deliveries AS delivery
    JOIN alert_channels AS channel ON channel.id = delivery.channel_id
    JOIN saved_searches AS search ON search.id = channel.saved_search_id
    JOIN users ON users.id = search.user_id
    WHERE delivery.state = 'pending' AND delivery.due_at <= $1
        AND (delivery.claimed_until IS NULL OR delivery.claimed_until <= $1)
        AND channel.disabled_at IS NULL AND channel.kind <> 'feed'
        AND users.public_id <> ALL($3::text[])
        AND (delivery.is_test OR NOT search.paused)
        AND (delivery.is_test OR channel.kind <> 'email' OR channel.confirmed_at IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM alert_deliveries AS other
            WHERE other.channel_id = channel.id AND other.state = 'pending'
                AND other.claimed_until > $1
        )
    ORDER BY delivery.due_at, delivery.id LIMIT 1
    FOR UPDATE OF delivery SKIP LOCKED
),
claimed AS (
    UPDATE alert_deliveries AS delivery SET claimed_until = $2 FROM due WHERE delivery.id = due.id
    RETURNING delivery.*
)
SELECT claimed.*, channel.kind, channel.address, channel.sealed_keys, channel.confirmed_at,
    search.id AS search,
    search.public_id, search.name, users.public_id AS person, (
        SELECT count(*) FROM alert_delivery_matches AS sent
        JOIN search_matches AS found USING (saved_search_id, group_id)
        WHERE sent.delivery_id = claimed.id AND found.article_id IS NOT NULL
    ) AS total
FROM claimed JOIN alert_channels AS channel ON channel.id = claimed.channel_id
JOIN saved_searches AS search ON search.id = channel.saved_search_id
JOIN users ON users.id = search.user_id
"""

STORIES = list_stories("""
SELECT found.* FROM alert_delivery_matches AS sent
JOIN search_matches AS found USING (saved_search_id, group_id)
WHERE sent.delivery_id = $1 AND article_id IS NOT NULL
ORDER BY matched_at DESC, group_id DESC LIMIT $2
""")

NEWEST = list_stories("""
SELECT * FROM search_matches WHERE saved_search_id = $1 AND article_id IS NOT NULL
ORDER BY matched_at DESC, group_id DESC LIMIT $2
""")
"""The newest match, as an example in a test."""

FRESH = list_stories("""
SELECT found.*, search.public_id AS search_id, search.name AS search_name
FROM saved_searches AS search JOIN search_matches AS found ON saved_search_id = search.id
WHERE search.user_id = $1 AND matched_at >= $2 AND article_id IS NOT NULL
ORDER BY matched_at LIMIT $3
""")

CANCEL_EMPTY = """
UPDATE alert_deliveries SET state = 'cancelled', claimed_until = NULL WHERE id = $1
"""

SETTLE = """
UPDATE alert_deliveries SET
    state = $3, attempts = attempts + $4, due_at = coalesce($5, due_at), claimed_until = NULL
WHERE id = $1 AND claimed_until = $2 AND state = 'pending'
RETURNING id
"""

LOG = """
INSERT INTO alert_attempts
    (delivery_id, attempted_at, outcome, status_code, detail, latency_ms)
VALUES ($1, $2, $3, $4, $5, $6)
"""

SUCCEED = "UPDATE alert_channels SET failing_since = NULL, last_delivered_at = $2 WHERE id = $1"

FAIL = """
UPDATE alert_channels SET failing_since = coalesce(failing_since, $2),
    disabled_at = CASE WHEN $3::text IS NULL THEN disabled_at ELSE $2 END,
    disabled_reason = coalesce($3, disabled_reason)
WHERE id = $1
"""

# What else waits for a receiver that does not answer comes after the retry, so that it is not
# called once for each delivery. One that was ever claimed keeps its time: it may be on its way.
HOLD = """
UPDATE alert_deliveries SET due_at = $2
WHERE channel_id = $1 AND state = 'pending' AND due_at < $2 AND claimed_until IS NULL
"""

CANCEL = """
UPDATE alert_deliveries SET state = 'cancelled', claimed_until = NULL
WHERE channel_id = $1 AND state = 'pending'
"""

MOST_EMPTY = 100
"""Deliveries without stories that one claim passes over: their articles were deleted."""


async def claim(
    connection: Connection,
    now: datetime,
    until: datetime,
    busy: Sequence[str],
    sealer: Callable[[], Sealer],
) -> ClaimedDelivery | None:
    """Claim the next delivery. An empty one is cancelled, since there is nothing to tell.

    A claim is stored before the stories are read. So a delivery whose stories take too long waits
    for the end of its claim, and does not hold up those behind it.
    """
    for _ in range(MOST_EMPTY):
        row = await connection.fetchrow(CLAIM, now, until, busy)
        if row is None:
            return None
        if row["total"] or row["is_test"]:
            return await _load(connection, row, sealer)
        await connection.execute(CANCEL_EMPTY, row["id"])
    return None


async def _load(
    connection: Connection, row: Record, sealer: Callable[[], Sealer]
) -> ClaimedDelivery:
    found = (
        await connection.fetch(NEWEST, row["search"], 1)
        if row["is_test"]
        else await connection.fetch(STORIES, row["id"], MAX_STORIES)
    )
    return ClaimedDelivery(
        id=row["id"],
        claimed_until=row["claimed_until"],
        channel=row["channel_id"],
        kind=ChannelKind(row["kind"]),
        address=row["address"],
        keys=_open_keys(row, sealer),
        person=row["person"],
        search_id=row["public_id"],
        search_name=row["name"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        is_test=row["is_test"],
        stories=tuple(map(build_match, found)),
        total=len(found) if row["is_test"] else row["total"],
        confirmed=row["kind"] != ChannelKind.EMAIL or row["confirmed_at"] is not None,
    )


def _open_keys(row: Record, sealer: Callable[[], Sealer]) -> tuple[SigningKey, ...]:
    """Decrypt a channel's keys; () if there are none, or if the key of SECRET_KEYS is missing."""
    if row["sealed_keys"] is None:
        return ()
    try:
        return open_keys(sealer(), row["channel_id"], row["sealed_keys"])
    except (UnknownKeyError, ValueError) as error:
        log.warning("alert_key_unreadable", delivery=row["id"], reason=str(error))
        return ()


async def settle(  # noqa: PLR0917 - a unit of work takes its values by position
    connection: Connection,
    delivery: ClaimedDelivery,
    attempt: Attempt,
    settlement: Settlement,
    now: datetime,
    latency_ms: int,
) -> bool:
    """Store an attempt; False if the claim has ended, for example because its channel has."""
    delivered = attempt.outcome is Outcome.DELIVERED
    async with connection.transaction():
        values: tuple[Any, ...] = (
            *(delivery.id, delivery.claimed_until, settlement.state.value),
            *(int(not delivered), settlement.retry_at),
        )
        if await connection.fetchval(SETTLE, *values) is None:
            return False
        outcome, code, detail = attempt.outcome.value, attempt.status_code, attempt.detail
        await connection.execute(LOG, delivery.id, now, outcome, code, detail, latency_ms)
        if delivered:
            await connection.execute(SUCCEED, delivery.channel, now)
        else:
            await connection.execute(FAIL, delivery.channel, now, settlement.disable)
        if settlement.disable is not None:
            await connection.execute(CANCEL, delivery.channel)
        elif settlement.state is DeliveryState.PENDING:
            await connection.execute(HOLD, delivery.channel, settlement.retry_at)
    return True
