"""Where a page ended, as text that a caller hands back: signed, and bound to what was asked.

A cursor is base64url (RFC 4648 5) of a signature and the position it covers. What was asked is signed with it but not in it, so that a
cursor is short, and none can be moved to another query.
"""

import base64
import json
import re

from attrs import frozen

from newsintel.domain.security.keys import Signer
from newsintel.errors import InvalidParameterError


@frozen
class Position:
    """Where a page ended, in the order of its sort; opaque to all but the store.

    Attributes:
        keys: the sort keys of the last article of the page, as JSON values.
    """

    keys: tuple[str | float | int, ...]


PURPOSE = "newsintel cursor 1"
"""For the key that signs. A new number makes older cursors invalid, as when a position's keys change their meaning."""

MAX_CHARS = 512
"""Far above what a position needs, far below what is work to look at."""

_SIGNATURE_BYTES = 32


class Cursors:
    """Turns positions into cursors and back.

    Args:
        signer: for PURPOSE.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def write(self, position: Position, bound_to: str) -> str:
        """The cursor of a position.

        Args:
            position: where a page ended.
            bound_to: identifies the query and its order; the next page must be asked for with the same.
        """
        payload = json.dumps(position.keys, separators=(",", ":")).encode()
        signed = self._signer.sign(_message(payload, bound_to)) + payload
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()

    def read(self, cursor: str, bound_to: str) -> Position:
        """The position of a cursor.

        Raises:
            InvalidParameterError: it was not written here, or for something else that was asked; names `cursor`.
        """
        if len(cursor) <= MAX_CHARS and re.fullmatch(r"[A-Za-z0-9_-]+", cursor) and len(cursor) % 4 != 1:
            signed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            signature, payload = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
            if self._signer.verify(_message(payload, bound_to), signature):
                return Position(tuple(json.loads(payload)))
        raise InvalidParameterError(
            "cursor", "invalid", "cursor must be the next_cursor of an answer to this same query, with the same filters and sort."
        )


def _message(payload: bytes, bound_to: str) -> bytes:
    """Both parts, told apart: JSON holds no NUL byte."""
    return payload + b"\0" + bound_to.encode()
