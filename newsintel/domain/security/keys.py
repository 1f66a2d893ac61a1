"""The operator's secret keys put to use: a key of its own for each purpose, signing with the first, verifying with all.

So a key is rotated without anybody noticing: the new one goes first, and the old one goes when nothing signed by it matters any more.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from newsintel.config.values import Secret


def derive(key: Secret, purpose: str) -> bytes:
    """The 32-byte key for one purpose, by HKDF-SHA256 (RFC 5869); what one purpose reveals says nothing of another's.

    Args:
        key: one of SECRET_KEYS, 32 bytes in base64url.
        purpose: a constant of the code; changing it makes everything signed or encrypted for it invalid.
    """
    master = base64.urlsafe_b64decode(key.reveal() + "=")
    # No salt: the input is a uniformly random key already (RFC 5869, 3.1).
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(master)


def digest(secret: str) -> str:
    """SHA-256 in hexadecimal: what is kept of an id or key that we made of 256 random bits, which nobody finds again from that."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_api_key() -> str:
    """An API key of 256 random bits, under a prefix by which people and scanners of leaked secrets know it."""
    return f"ni_{secrets.token_urlsafe(32)}"


class Signer:
    """Signs bytes for one purpose with HMAC-SHA256 (RFC 2104)."""

    def __init__(self, secret_keys: Sequence[Secret], purpose: str) -> None:
        self._keys = [derive(key, purpose) for key in secret_keys]

    def sign(self, message: bytes) -> bytes:
        """The 32-byte signature of the first key."""
        return hmac.digest(self._keys[0], message, "sha256")

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether any of the keys signed this very message; in a time that does not tell how nearly."""
        return any(hmac.compare_digest(hmac.digest(key, message, "sha256"), signature) for key in self._keys)
