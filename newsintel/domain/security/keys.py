"""Uses the operator's secret keys: a derived key for each purpose; the first signs, all verify.

So a key can be rotated without interruption: put the new key first, and remove the old one when
nothing signed by it is needed any more.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from newsintel.config.values import Secret


def derive_key(key: Secret, purpose: str) -> bytes:
    """Derive the 32-byte key for one purpose by HKDF-SHA256 (RFC 5869).

    A revealed key of one purpose says nothing about another's.

    Args:
        key: one of SECRET_KEYS, 32 bytes in base64url.
        purpose: a constant in the code. Changing it invalidates everything signed or encrypted for
            it.
    """
    master = base64.urlsafe_b64decode(key.reveal() + "=")
    # No salt: the input is a uniformly random key already (RFC 5869, 3.1).
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(master)


def digest_secret(secret: str) -> str:
    """Return SHA-256 in hexadecimal, which is stored in place of an id or key of 256 random bits.

    The secret cannot be computed from it.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def create_api_key() -> str:
    """Make an API key of 256 random bits, with a prefix for people and secret scanners."""
    return f"ni_{secrets.token_urlsafe(32)}"


def create_feed_token() -> str:
    """Make the secret of a private feed's address: 256 random bits.

    It has no prefix, so it has the form that the log's redactor hides in every path.
    """
    return secrets.token_urlsafe(32)


class Signer:
    """Signs bytes for one purpose with HMAC-SHA256 (RFC 2104)."""

    def __init__(self, secret_keys: Sequence[Secret], purpose: str) -> None:
        self._keys = [derive_key(key, purpose) for key in secret_keys]

    def sign(self, message: bytes) -> bytes:
        """Return the 32-byte signature of the first key."""
        return hmac.digest(self._keys[0], message, "sha256")

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether any of the keys signed this message. Compares in constant time."""
        return any(
            hmac.compare_digest(hmac.digest(key, message, "sha256"), signature)
            for key in self._keys
        )
