"""Replies of sign-in providers and token endpoints as JSON, under caps that keep a parser in C, which cannot be paused, to a few ms."""

from typing import Any

import httpx

MAX_REPLY_BYTES = 128 * 1024
"""Of a reply, as sent and decoded. The largest published document, Entra's keys, has 17 KiB."""

_MOST_VALUES = 8_000
"""By the signs that values are parted and opened with; published documents have under 300."""


def json_of(response: httpx.Response) -> Any:
    """A reply's JSON; None where it is none, or is made to keep us busy."""
    body = response.content
    if sum(body.count(sign) for sign in (b",", b"{", b"[")) > _MOST_VALUES:
        return None
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None
