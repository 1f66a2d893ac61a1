"""The channels of a saved search as rows, with the signing keys of webhooks."""

from collections.abc import Callable, Sequence

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.model import NewChannel
from newsintel.domain.alerts.signing import SigningKey, create_secret
from newsintel.domain.security.sealing import Sealer
from newsintel.storage.postgres.alerts.channel_keys import seal_keys
from newsintel.storage.postgres.pool import Connection

# A channel with the same kind and address is enabled again, and keeps the rest.
PUT = """
INSERT INTO alert_channels AS kept (saved_search_id, kind, address, feed_digest)
VALUES ($1, $2, $3, $4)
ON CONFLICT (saved_search_id, kind, address) DO UPDATE
SET disabled_at = NULL, disabled_reason = NULL, failing_since = NULL
RETURNING id, sealed_keys IS NULL AS without_keys
"""

SET_KEYS = "UPDATE alert_channels SET sealed_keys = $2 WHERE id = $1"

REMOVE_OTHERS = "DELETE FROM alert_channels WHERE saved_search_id = $1 AND id <> ALL($2::bigint[])"


async def add_channels(
    connection: Connection,
    search: int,
    channels: Sequence[NewChannel],
    sealer: Callable[[], Sealer],
) -> list[int]:
    """Add channels to a search, or enable them again; return their ids."""
    ids = []
    for channel in channels:
        row = await connection.fetchrow(
            PUT, search, channel.kind.value, channel.address, channel.feed_digest
        )
        ids.append(row["id"])
        if channel.kind is ChannelKind.WEBHOOK and row["without_keys"]:
            key = SigningKey(channel.secret or create_secret())
            await connection.execute(SET_KEYS, row["id"], seal_keys(sealer(), row["id"], [key]))
    return ids


async def replace_channels(
    connection: Connection,
    search: int,
    channels: Sequence[NewChannel],
    sealer: Callable[[], Sealer],
) -> None:
    """Give a search these channels, and no others."""
    kept = await add_channels(connection, search, channels, sealer)
    await connection.execute(REMOVE_OTHERS, search, kept)
