"""Reads the JSON replies of sign-in providers and token endpoints within limits.

The limits keep the time of the parser to a few ms: it is written in C and cannot be paused.
"""

from typing import Any

import httpx

from newsintel.outbound.sources.refusals import retry_after
from newsintel.runtime.clock import utc_now

MAX_REPLY_BYTES = 128 * 1024
"""Maximum size of a reply, both as sent and decoded.

The largest published document, Entra's keys, has 17 KiB.
"""

_MOST_VALUES = 8_000
"""Maximum number of commas and opening brackets; published documents have under 300."""


def read_object(response: httpx.Response) -> dict[str, Any] | None:
    """Return a reply's JSON object; None if it has none or has more than _MOST_VALUES values."""
    body = response.content
    if sum(body.count(sign) for sign in (b",", b"{", b"[")) > _MOST_VALUES:
        return None
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def get_error(body: dict[str, Any] | None) -> Any:
    """Return the error of a reply's object, a word or a number; None if there is none."""
    return None if body is None else body.get("error")


def is_sendable(token: Any) -> bool:
    """Return whether a token can be stored and sent: visible characters (RFC 6749, A.12, A.17)."""
    return (
        isinstance(token, str) and token.isascii() and token.isprintable() and bool(token.strip())
    )


def read_pause_s(response: httpx.Response) -> float | None:
    """Return the seconds of a reply's Retry-After, as `retry_after` reads it, or None."""
    return retry_after(response.headers.get("retry-after"), utc_now())
