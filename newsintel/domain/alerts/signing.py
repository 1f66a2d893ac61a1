"""Signs webhooks by Standard Webhooks 1.0.0, with symmetric keys.

A channel has one signing key, and for ROTATION_S after a rotation also the one before: then each
request carries two signatures, and a receiver may know either key.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from attrs import frozen

PREFIX = "whsec_"
"""Marks a secret, for people and secret scanners (specification, "Signature scheme")."""

KEY_BYTES = 32
"""The specification requires 24 to 64 random bytes."""

ROTATION = timedelta(hours=24)
"""How long the key before the newest still signs."""


@frozen
class SigningKey:
    """A key of a channel.

    Attributes:
        secret: in the form that its owner gets, `whsec_` and base64.
        until: when it ceases to sign; None for the newest key.
    """

    secret: str
    until: datetime | None = None


def create_secret() -> str:
    """Make a signing secret of 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def rotate_keys(keys: Sequence[SigningKey], secret: str, now: datetime) -> tuple[SigningKey, ...]:
    """Return the keys with a new one first. Of the others only the newest stays, for ROTATION."""
    before = tuple(SigningKey(key.secret, now + ROTATION) for key in keys[:1])
    return (SigningKey(secret), *before)


def write_keys(keys: Sequence[SigningKey]) -> str:
    """Write keys as one line of text, for sealing."""
    return " ".join(f"{key.secret} {key.until.isoformat() if key.until else '-'}" for key in keys)


def read_keys(text: str) -> tuple[SigningKey, ...]:
    """Read keys as `write_keys` wrote them."""
    words = text.split()
    return tuple(
        SigningKey(secret, None if until == "-" else datetime.fromisoformat(until))
        for secret, until in zip(words[::2], words[1::2], strict=True)
    )


def sign_webhook(
    keys: Sequence[SigningKey], webhook_id: str, now: datetime, body: bytes
) -> Mapping[str, str]:
    """Return the three headers of a webhook.

    Args:
        keys: of the channel, the newest first.
        webhook_id: of the delivery, without a full stop. It is the same in every attempt.
        now: the time of this attempt; receivers refuse one that is minutes old.
        body: exactly as it is sent.
    """
    timestamp = int(now.timestamp())
    content = b"%b.%d.%b" % (webhook_id.encode("ascii"), timestamp, body)
    signatures = [
        _sign(key.secret, content) for key in keys if key.until is None or now < key.until
    ]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _sign(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()
