"""Seals the signing keys of webhooks for their column `alert_channels.sealed_keys`."""

from collections.abc import Sequence

from newsintel.domain.alerts.signing import SigningKey, read_keys, write_keys
from newsintel.domain.security.sealing import Sealer


def seal_keys(sealer: Sealer, channel_id: int, keys: Sequence[SigningKey]) -> bytes:
    """Encrypt a channel's keys, bound to the channel."""
    return sealer.seal(write_keys(keys), _belongs_to(channel_id))


def open_keys(sealer: Sealer, channel_id: int, sealed: bytes) -> tuple[SigningKey, ...]:
    """Decrypt a channel's keys, the newest first.

    Raises:
        UnknownKeyError: they were encrypted with a key that SECRET_KEYS does not hold.
    """
    return read_keys(sealer.open(sealed, _belongs_to(channel_id)))


def _belongs_to(channel_id: int) -> str:
    return f"{channel_id} alert_channels sealed_keys"
