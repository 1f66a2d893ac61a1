"""Addresses that others choose and this service calls: feeds, and the receivers of alerts."""

import re
from urllib.parse import quote, urlsplit

from newsintel.domain.text.host_names import to_ascii_host
from newsintel.domain.text.safe_urls import LONG_HOST

MAX_ADDRESS = 2048
"""Characters, as for the addresses of articles. All are ASCII, so it also bounds bytes."""

_MOST_HOST_CHARS = 253
"""Of a name in DNS (RFC 1035)."""

_WRITTEN = re.compile(r"[!#-;=?-\[\]-~]*")
"""ASCII without controls and space, and without the delimiters `"`, `<`, `>` and backslash."""
_END_OF_HOST = re.compile(r"[/?#]")
_KEPT = "%!#$&'()*+,/:;=?@[]~^`{|}"
_DROPPED = str.maketrans("", "", "\t\r\n")


def to_ascii_url(written: str) -> str | None:
    """Return an address as it goes over the wire (RFC 3986; RFC 3987, 3.1); None if it cannot.

    Its host is encoded as browsers do, anything else is escaped. An address that may be sent as it
    is stays so, because feeds are known by their addresses.
    """
    text = written.strip()
    if len(text) > MAX_ADDRESS or LONG_HOST.match(text):
        return None
    if _WRITTEN.fullmatch(text):
        return text
    head, slashes, rest = text.translate(_DROPPED).partition("//")
    host = _END_OF_HOST.split(rest, maxsplit=1)[0]
    tail = rest[len(host) :]
    if not host.isascii():
        name, colon, port = host.partition(":")
        host = f"{to_ascii_host(name) or name}{colon}{port}"
    try:
        url = f"{head}{slashes}{host}{quote(tail, safe=_KEPT)}"
    except UnicodeEncodeError:  # half a pair of surrogates
        return None
    return url if len(url) <= MAX_ADDRESS and _WRITTEN.fullmatch(url) else None


def find_url_fault(url: str) -> str | None:
    """Return why an address must not be called, in one line; None if it may be.

    Where its host is, is only known when it is called (`outbound.public_network`).
    """
    if not _WRITTEN.fullmatch(url) or len(url) > MAX_ADDRESS:
        return "not an address"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "not an address"
    if parts.scheme.lower() not in ("http", "https"):
        return "neither http nor https"
    if not host or len(host) > _MOST_HOST_CHARS:
        return "not an address"
    if parts.username is not None or parts.password is not None:
        return "an address with a password"
    return None


def hide_query(address: str) -> str:
    """Return an address as a log may show it: its query may hold a secret."""
    shown, mark, _ = address.partition("?")
    return f"{shown}?***" if mark else address
