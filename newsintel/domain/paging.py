"""Cursors: the signed position where a page ended, bound to the query.

A cursor is base64url (RFC 4648, 5) of a signature and the position. The signature also covers the
query, which is not part of the cursor. So a cursor is short, and it is invalid for any other query.
"""

import base64
import json
import re

from attrs import frozen

from newsintel.domain.security.keys import Signer
from newsintel.errors import InvalidParameterError


@frozen
class Position:
    """Where a page ended, in the order of its sort. Only the store interprets it.

    Attributes:
        keys: the sort keys of the last article of the page, as JSON values.
    """

    keys: tuple[str | float | int, ...]


CURSOR_PURPOSE = "newsintel cursor 1"
"""The purpose of the signing key. A new number invalidates older cursors, for example when a
position's keys change their meaning."""

MAX_CHARS = 512
"""Maximum length of a cursor: far more than a position needs, and fast to check."""

_SIGNATURE_BYTES = 32


class Cursors:
    """Turns positions into cursors and back.

    Args:
        signer: the signer for CURSOR_PURPOSE.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def write(self, position: Position, bound_to: str) -> str:
        """Write the cursor of a position.

        Args:
            position: where a page ended.
            bound_to: identifies the query and its order. Reading the cursor requires the same
                value.
        """
        payload = json.dumps(position.keys, separators=(",", ":")).encode()
        signed = self._signer.sign(_join_message(payload, bound_to)) + payload
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()

    def read(self, cursor: str, bound_to: str) -> Position:
        """Read the position of a cursor.

        Raises:
            InvalidParameterError: it was not written here, or for another query; names `cursor`.
        """
        if (
            len(cursor) <= MAX_CHARS
            and re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
            and len(cursor) % 4 != 1
        ):
            signed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            signature, payload = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
            if self._signer.verify(_join_message(payload, bound_to), signature):
                return Position(tuple(json.loads(payload)))
        raise InvalidParameterError(
            "cursor",
            "invalid",
            "cursor must be the next_cursor of an answer to the same query, "
            "with the same filters and sort.",
        )


def _join_message(payload: bytes, bound_to: str) -> bytes:
    """Join both parts. The separator is unique: JSON holds no NUL byte."""
    return payload + b"\0" + bound_to.encode()
