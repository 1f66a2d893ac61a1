"""What a request shows to say whose it is: a key in the Authorization header, or else a session's id in a cookie. Pure."""

import re
from collections.abc import Iterable

from newsintel.settings import Settings

KEY = re.compile(r"ni_[A-Za-z0-9_-]{43}")
"""An API key: 256 bits in base64url after a prefix by which people and scanners of leaked secrets know it."""

SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}")

Headers = Iterable[tuple[bytes, bytes]]


def authorization(headers: Headers) -> str | None:
    """The Authorization header as it is; None if there is none. Several make one that is no good."""
    given = [value.decode("latin-1") for name, value in headers if name.lower() == b"authorization"]
    return ", ".join(given) if given else None


def bearer_key(authorization: str) -> str | None:
    """The API key in an Authorization header; None if it is anything else."""
    scheme, _, key = authorization.partition(" ")
    return key if scheme.lower() == "bearer" and KEY.fullmatch(key) else None


def cookie(headers: Headers, name: str) -> str | None:
    """A cookie's value (RFC 6265, 5.4), if there is exactly one of that name."""
    lines = [value.decode("latin-1") for header, value in headers if header.lower() == b"cookie"]
    pairs = [pair.strip().partition("=") for line in lines for pair in line.split(";")]
    values = [value for found, _, value in pairs if found == name]
    return values[0] if len(values) == 1 else None


def session_cookie(settings: Settings) -> str:
    """The name of the session's cookie. A browser takes the __Host- prefix over https alone (rfc6265bis, 4.1.3.2)."""
    return "__Host-newsintel" if settings.public_url.startswith("https://") else "newsintel_dev"
