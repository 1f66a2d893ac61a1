"""The addresses in mails that work without sign-in: signed, so that nobody can guess them."""

import base64
import binascii
from enum import StrEnum

from newsintel.domain.security.keys import Signer

PURPOSE = "newsintel mail links 1"
"""For `Signer`. Changing it breaks the links in all mails that were sent."""


class MailAction(StrEnum):
    """What a link in a mail does, and the first part of its path."""

    UNSUBSCRIBE = "unsubscribe"
    """It ends a channel (RFC 8058)."""
    CONFIRM = "confirm"
    """The address's owner wants the alerts of a channel."""


def sign_link(signer: Signer, action: MailAction, channel: int) -> str:
    """Return the token of a link: 43 characters, which the log's redactor hides in paths."""
    signature = signer.sign(_build_message(action, channel))
    return base64.urlsafe_b64encode(signature).decode().rstrip("=")


def is_signed(signer: Signer, action: MailAction, channel: int, token: str) -> bool:
    """Whether a token is that of a link."""
    try:
        signature = base64.b64decode(f"{token}=", b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return signer.verify(_build_message(action, channel), signature)


def _build_message(action: MailAction, channel: int) -> bytes:
    return f"{action} {channel}".encode()
