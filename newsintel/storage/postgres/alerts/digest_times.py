"""Moves what still waits for a digest, when a search shall send more or less often."""

from datetime import datetime

from newsintel.domain.alerts.digests import Every, next_due
from newsintel.storage.postgres.pool import Connection

# Only what was never tried: the times of retries are those of the receiver.
MOVE = """
UPDATE alert_deliveries SET due_at = $2
FROM alert_channels AS channel
WHERE channel.id = channel_id AND channel.saved_search_id = $1 AND state = 'pending'
    AND attempts = 0 AND claimed_until IS NULL AND NOT is_test
"""


async def move_open_deliveries(
    connection: Connection, search: int, every: Every, time_zone: str, now: datetime
) -> None:
    """Give the open deliveries of a search the time that new ones would get."""
    await connection.execute(MOVE, search, next_due(every, time_zone, now))
