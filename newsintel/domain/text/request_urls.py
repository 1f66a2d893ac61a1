"""Addresses that others choose and this service calls: feeds, and the receivers of alerts."""

from urllib.parse import urlsplit

MAX_ADDRESS = 2048
"""Characters, as for the addresses of articles."""

_MOST_HOST_CHARS = 253
"""Of a name in DNS (RFC 1035)."""


def find_url_fault(url: str) -> str | None:
    """Return why an address must not be called, in one line; None if it may be.

    Where its host is, is only known when it is called (`outbound.public_network`).
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "not an address"
    if parts.scheme.lower() not in ("http", "https"):
        return "neither http nor https"
    if not host or len(host) > _MOST_HOST_CHARS or len(url) > MAX_ADDRESS:
        return "not an address"
    if parts.username is not None or parts.password is not None:
        return "an address with a password"
    return None
