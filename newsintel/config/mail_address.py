"""Which texts are e-mail addresses: of senders in settings, and of people who get alerts."""

import re

MAX_CHARS = 254
"""The longest address that SMTP can carry (RFC 5321, 4.5.3.1.3, with its angle brackets)."""

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
"""A dot-atom (RFC 5322, 3.4.1) with a domain that has a dot and no number as its last label."""

MAX_LOCAL_CHARS = 64
"""RFC 5321, 4.5.3.1.1."""


def is_mail_address(text: str) -> bool:
    """Whether a text is the address of one mailbox."""
    return (
        len(text) <= MAX_CHARS
        and text.find("@") <= MAX_LOCAL_CHARS
        and _ADDRESS.fullmatch(text) is not None
    )
