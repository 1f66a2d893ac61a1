"""The ways in which alerts leave, and which addresses each of them takes."""

import re
from enum import StrEnum
from urllib.parse import urlsplit

from newsintel.config.mail_address import is_mail_address
from newsintel.domain.text.request_urls import find_url_fault


class ChannelKind(StrEnum):
    """How a channel is delivered. A feed is read by its person's feed reader."""

    WEBHOOK = "webhook"
    FEED = "feed"
    EMAIL = "email"
    NTFY = "ntfy"
    APPRISE = "apprise"


_TOPIC = re.compile(r"/[-_A-Za-z0-9]{1,64}")
"""The path of a topic: ntfy's own rule for names (server/server.go), below no other path."""

_APPRISE = re.compile(r"(?:/[^/?#]+)*/notify/[A-Za-z0-9_-]{1,128}/?")
"""`/notify/{KEY}` of the Apprise API, which may be below another path."""


def find_address_fault(kind: ChannelKind, address: str) -> str | None:
    """Return why a channel cannot have an address, in one line; None if it can.

    Args:
        kind: of the channel.
        address: as its person wrote it; a feed has none.
    """
    match kind:
        case ChannelKind.FEED:
            return "must be left out: the answer has the feed's address" if address else None
        case ChannelKind.EMAIL:
            return None if is_mail_address(address) else "must be an e-mail address"
        case ChannelKind.WEBHOOK:
            return _find_http_fault(address)
        case ChannelKind.NTFY:
            wanted = "must be the address of a topic, such as https://ntfy.sh/mytopic"
            return _find_http_fault(address) or _find_path_fault(_TOPIC, address, wanted)
        case _:
            wanted = "must be the address of a key, such as https://apprise.example/notify/KEY"
            return _find_http_fault(address) or _find_path_fault(_APPRISE, address, wanted)


def _find_http_fault(address: str) -> str | None:
    if not (address.isascii() and address.isprintable()) or " " in address:
        return "must be an address in ASCII without spaces"
    fault = find_url_fault(address)
    if fault is None and "#" in address:
        fault = "an address with a fragment"
    return f"is {fault}" if fault else None


def _find_path_fault(pattern: re.Pattern[str], address: str, wanted: str) -> str | None:
    return None if pattern.fullmatch(urlsplit(address).path) else wanted
