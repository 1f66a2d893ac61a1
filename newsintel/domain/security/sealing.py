"""Encrypts values in the database: AES-256-GCM (NIST SP 800-38D) with keys from SECRET_KEYS.

A sealed value is a format byte, the id of the key, a random nonce, and the ciphertext with its tag.
Its owner and field are authenticated, but not stored in it. So a value that is moved to another row
cannot be decrypted.
"""

import hashlib
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from newsintel.config.values import Secret
from newsintel.domain.security.keys import derive_key
from newsintel.errors import UnknownKeyError

TOKENS_PURPOSE = "newsintel tokens 1"

_FORMAT = b"\x01"
_ID_BYTES = 8
_NONCE_BYTES = 12
"""96 random bits: SP 800-38D, 8.3 allows 2^32 values under one key, far more than the tokens of one
service."""


class Sealer:
    """Encrypts with the first key, decrypts with all."""

    def __init__(self, secret_keys: Sequence[Secret]) -> None:
        derived = [derive_key(key, TOKENS_PURPOSE) for key in secret_keys]
        self._ciphers = {_make_key_id(key): AESGCM(key) for key in derived}
        self._newest = _make_key_id(derived[0])

    def seal(self, text: str, belongs_to: str) -> bytes:
        """Encrypt a text and bind it to its owner and field, e.g. `7 reddit access_token`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _FORMAT + self._newest
        return (
            head
            + nonce
            + self._ciphers[self._newest].encrypt(nonce, text.encode(), head + belongs_to.encode())
        )

    def open(self, sealed: bytes, belongs_to: str) -> str:
        """Decrypt a value.

        Raises:
            UnknownKeyError: it was encrypted with a missing key.
            ValueError: it was changed, or belongs to another owner or field.
        """
        head, rest = sealed[: 1 + _ID_BYTES], sealed[1 + _ID_BYTES :]
        cipher = self._ciphers.get(head[1:])
        if head[:1] != _FORMAT or cipher is None:
            raise UnknownKeyError(
                f"a stored token was encrypted with key {head[1:].hex()}, "
                "which NEWSINTEL_SECRET_KEYS does not hold: "
                "put that key back, last in the list, and run `newsintel rotate-keys`"
            )
        try:
            return cipher.decrypt(
                rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + belongs_to.encode()
            ).decode()
        except InvalidTag:
            raise ValueError("a stored token was changed, or is another account's") from None

    def is_newest(self, sealed: bytes) -> bool:
        """Whether the first key encrypted it."""
        return sealed[1 : 1 + _ID_BYTES] == self._newest


def _make_key_id(key: bytes) -> bytes:
    """Return a key's id: a digest, which reveals nothing about a random key."""
    return hashlib.sha256(b"newsintel key id" + key).digest()[:_ID_BYTES]
