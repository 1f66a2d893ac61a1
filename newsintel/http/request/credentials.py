"""What a request shows to say whose it is: a key after `Bearer`, or else a session's id in a cookie. Pure."""

import re
from collections.abc import Iterable

from newsintel.config.settings import Settings

KEY = re.compile(r"ni_[A-Za-z0-9_-]{43}")
"""An API key: 256 bits in base64url after a prefix by which people and scanners of leaked secrets know it."""

SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}")

Headers = Iterable[tuple[bytes, bytes]]


def bearer(headers: Headers) -> str | None:
    """What the Authorization header says after `Bearer`; None if it is absent or of another scheme.

    Another scheme, such as the Basic of a reverse proxy that asks for a password of its own, is not for us: the request is judged as if it
    did not carry the header. Several headers of which one is ours are one that is no good.
    """
    given = [value.decode("latin-1") for name, value in headers if name.lower() == b"authorization"]
    if not any(value.lower().split(None, 1)[:1] == ["bearer"] for value in given):
        return None
    return given[0].partition(" ")[2] if len(given) == 1 else ""


def cookie(headers: Headers, name: str) -> str | None:
    """A cookie's value (RFC 6265, 5.4), if there is exactly one of that name.

    Only spaces and tabs are no part of a name, as in browsers: were a line end of Unicode (U+0085) or a hard space taken away as well, a
    host beside ours could set ours under a name that browsers do not protect as they do `__Host-`.
    """
    lines = [value.decode("latin-1") for header, value in headers if header.lower() == b"cookie"]
    pairs = [pair.strip(" \t").partition("=") for line in lines for pair in line.split(";")]
    values = [value for found, _, value in pairs if found == name]
    return values[0] if len(values) == 1 else None


def session_cookie(settings: Settings) -> str:
    """The name of the session's cookie. A browser takes the __Host- prefix over https alone (rfc6265bis, 4.1.3.2)."""
    return "__Host-newsintel" if settings.public_url.startswith("https://") else "newsintel_dev"
