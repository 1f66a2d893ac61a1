"""Which hosts and sockets in a URL a connection can be opened to at all.

A wrong one would look like a server that is away, or like a bug of the driver.
"""

import os
import re

MAX_HOST_CHARS = 253
"""RFC 1035, 2.3.4: 255 bytes with the lengths of the first part and of the root."""

IN_NO_HOST = r"\s|(?=[\x00-\x7f])[^\w.:%~-]"
"""A character of neither a name nor an address. `%` and `~` occur in the name of an interface."""

MAX_SOCKET_BYTES = 107
"""Longest path of a unix socket; unix(7): sun_path has 108 bytes with the closing NUL."""


def check_host(host: str) -> None:
    """Raise ValueError if a host can be neither an address nor a name; it is not repeated."""
    try:
        # As the standard library does for a look-up. An address passes.
        encoded = host.encode("idna")
    except UnicodeError:
        encoded = b""
    if not 0 < len(encoded) <= MAX_HOST_CHARS or re.search(IN_NO_HOST, host):
        raise ValueError(
            "has a host that cannot be looked up: "
            "a name has letters, digits, - and _, at most 63 between its dots"
        )


def check_socket(path: str) -> None:
    """Raise ValueError if no unix socket can have a path."""
    if "\0" in path or len(os.fsencode(path)) > MAX_SOCKET_BYTES:
        raise ValueError(
            f"names a socket whose path has more than {MAX_SOCKET_BYTES} bytes, or a NUL"
        )


def check_utf8(name: str, value: str | None) -> None:
    """Raise ValueError if a part of a URL has bytes that are not UTF-8, which drivers refuse."""
    if value is not None and re.search(r"[\ud800-\udfff]", value):
        raise ValueError(f"has a {name} that is not UTF-8")
