"""The address that ends a channel without sign-in (RFC 8058): signed, so that nobody can guess it."""

import base64
import binascii

from newsintel.domain.security.keys import Signer

PURPOSE = "newsintel unsubscribe 1"
"""For `Signer`. Changing it breaks the links in all mails that were sent."""


def sign_channel(signer: Signer, channel: int) -> str:
    """Return the token for a channel: 43 characters, which the log's redactor hides in paths."""
    return base64.urlsafe_b64encode(signer.sign(_message(channel))).decode().rstrip("=")


def is_signed(signer: Signer, channel: int, token: str) -> bool:
    """Whether a token is that of a channel."""
    try:
        signature = base64.b64decode(f"{token}=", b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return signer.verify(_message(channel), signature)


def _message(channel: int) -> bytes:
    return b"%d" % channel
