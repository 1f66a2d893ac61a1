"""Encryption of what lies in the database: AES-256-GCM (NIST SP 800-38D) under keys that are derived from SECRET_KEYS.

A sealed value is a format byte, the id of the key, a random nonce, and the ciphertext with its tag. What it belongs to (whose it is, and
which field) is authenticated with it and not in it, so that a value that is moved to another row does not open.
"""

import hashlib
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from newsintel.config.values import Secret
from newsintel.domain.security.keys import derive
from newsintel.errors import UnknownKeyError

PURPOSE = "newsintel tokens 1"

_FORMAT = b"\x01"
_ID_BYTES = 8
_NONCE_BYTES = 12
"""96 random bits: SP 800-38D, 8.3 allows 2^32 values under one key, far above the tokens that a service of ours will ever store."""


class Sealer:
    """Seals with the first key, opens with all."""

    def __init__(self, secret_keys: Sequence[Secret]) -> None:
        derived = [derive(key, PURPOSE) for key in secret_keys]
        self._ciphers = {_id(key): AESGCM(key) for key in derived}
        self._newest = _id(derived[0])

    def seal(self, text: str, belongs_to: str) -> bytes:
        """Encrypt a text for what it belongs to, e.g. `7 reddit access_token`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _FORMAT + self._newest
        return head + nonce + self._ciphers[self._newest].encrypt(nonce, text.encode(), head + belongs_to.encode())

    def open(self, sealed: bytes, belongs_to: str) -> str:
        """The text.

        Raises:
            UnknownKeyError: it was sealed with a key that is not at hand.
            ValueError: it was changed, or belongs to something else.
        """
        head, rest = sealed[: 1 + _ID_BYTES], sealed[1 + _ID_BYTES :]
        cipher = self._ciphers.get(head[1:])
        if head[:1] != _FORMAT or cipher is None:
            raise UnknownKeyError(
                f"a stored token was encrypted with key {head[1:].hex()}, which NEWSINTEL_SECRET_KEYS does not hold: put that key back, "
                "last in the list, and run `newsintel rotate-keys`"
            )
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + belongs_to.encode()).decode()
        except InvalidTag:
            raise ValueError("a stored token was changed, or is another account's") from None

    def is_newest(self, sealed: bytes) -> bool:
        """True if the first key sealed it."""
        return sealed[1 : 1 + _ID_BYTES] == self._newest


def _id(key: bytes) -> bytes:
    """A key's name: a digest, which tells nothing of a random key."""
    return hashlib.sha256(b"newsintel key id" + key).digest()[:_ID_BYTES]
