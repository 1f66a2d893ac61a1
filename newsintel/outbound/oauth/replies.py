"""Replies of sign-in providers and token endpoints as JSON, under caps that keep a parser in C, which cannot be paused, to a few ms."""

from typing import Any

import httpx

from newsintel.outbound.sources.refusals import retry_after
from newsintel.runtime.clock import utc_now

MAX_REPLY_BYTES = 128 * 1024
"""Of a reply, as sent and decoded. The largest published document, Entra's keys, has 17 KiB."""

_MOST_VALUES = 8_000
"""By the signs that values are parted and opened with; published documents have under 300."""


def read_object(response: httpx.Response) -> dict[str, Any] | None:
    """A reply's JSON object; None where it holds none, or is made to keep us busy."""
    body = response.content
    if sum(body.count(sign) for sign in (b",", b"{", b"[")) > _MOST_VALUES:
        return None
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def error_of(body: dict[str, Any] | None) -> Any:
    """What a reply's object says went wrong, a word or a number of the protocol; None if it says nothing."""
    return None if body is None else body.get("error")


def is_sendable(token: Any) -> bool:
    """True for a token that can be kept and sent again: in visible characters (RFC 6749, A.12 and A.17)."""
    return isinstance(token, str) and token.isascii() and token.isprintable() and bool(token.strip())


def asked_pause_s(response: httpx.Response) -> float | None:
    """For how many seconds a reply asks to be left alone, as `retry_after` reads it; None if it does not say."""
    return retry_after(response.headers.get("retry-after"), utc_now())
