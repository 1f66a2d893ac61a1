"""Reads a response's body as a JSON object, or returns a refusal that says what it is instead.

It is strict, because upstream data is untrusted.
"""

import re
from typing import Any

import orjson

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.outcome import Refusal, Status
from newsintel.outbound.sources.source import Response

_MAX_DEPTH = 32
"""Maximum levels of nesting (reliability list, 19); recorded payloads have at most 12."""

_MOST = {
    "values": (b",", 60_000),
    "objects": (b"{", 8_000),
    "arrays": (b"[", 4_000),
    "escapes": (b"\\", 200_000),
    "characters of four bytes": (b"\xf0", 50_000),
}
"""Limits on everything that makes JSON slow to parse, each counted by its first or last byte.

A parser in C cannot be paused. With a body of the largest size and at these limits it takes 5 ms.
The largest recorded payload, 100 posts of Reddit, has 20,198, 2,713, 1,124, 3,276 and 0.
"""

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""An escape of JSON: a pair of surrogates, half a pair (group 1), or any other.

Each is read, from left to right: `\\\\ud83d` is a backslash and letters, and no half.
"""

_ESCAPES_AT_ONCE = 4_000
"""Escapes that are read without a pause: about 1 ms."""

_CONTAINERS = frozenset({dict, list})
"""The types that orjson gives to objects and arrays."""


def read_json_object(response: Response) -> Sliced[dict[str, Any] | Refusal]:
    """Return the JSON object in a body, or a refusal.

    The body must be UTF-8 without a byte order mark (RFC 8259, 8.1) and without NaN or Infinity
    (section 6), at most 32 levels deep and within the limits of _MOST.
    """
    found = yield from _parse(response.body)
    if isinstance(found, dict):
        return found
    detail = (
        f"{found} ({len(response.body)} bytes, "
        f"content type {media_type(response)}, HTTP {response.status})"
    )
    return Refusal(Status.BAD_PAYLOAD, detail, response.status)


def media_type(response: Response) -> str:
    """Return the declared media type, e.g. `text/html`; `unknown` if it is missing or malformed."""
    match = re.match(
        r"\s*([a-zA-Z]{1,20}/[a-zA-Z0-9.+-]{1,40})", response.headers.get("content-type", "")
    )
    return match[1].lower() if match else "unknown"


def _parse(body: bytes) -> Sliced[dict[str, Any] | str]:
    """Return the object, or a description of what the body is instead."""
    start = body.lstrip()[:1]
    if start in (b"", b"<"):
        return "an HTML page instead of JSON" if start else "an empty body"
    for name, (sign, most) in _MOST.items():
        if body.count(sign) > most:
            return f"JSON of more than {most:,} {name}"
    yield
    try:
        value = yield from _loads(body)
    # Truncated JSON, NaN, a number of thousands of digits, a byte order mark, or a nesting bomb.
    except orjson.JSONDecodeError:
        yield
        return "not valid JSON" if _is_utf_8(body) else "not UTF-8"
    if not isinstance(value, dict):
        return "JSON, but not an object"
    yield
    return f"JSON nested more than {_MAX_DEPTH} levels deep" if _is_too_deep(value) else value


def _loads(body: bytes) -> Sliced[Any]:
    """Return the value in a body.

    orjson rejects a lone half of a surrogate pair, which JSON allows (RFC 8259, 8.2), so lone
    halves are removed.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        yield
        whole = yield from _remove_halves(body)
        if len(whole) == len(body):
            raise
        return orjson.loads(whole)


def _remove_halves(body: bytes) -> Sliced[bytearray]:
    kept, end = bytearray(), 0  # a list of pieces would be joined in one step
    for number, escape in enumerate(_ESCAPE.finditer(body), 1):
        if escape[1] is not None:
            kept += body[end : escape.start()]
            end = escape.end()
        if number % _ESCAPES_AT_ONCE == 0:
            yield
    yield
    kept += body[end:]
    return kept


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_too_deep(value: dict[str, Any]) -> bool:
    """Check level by level, without recursion.

    Types are compared, not looked up in their classes: a reply of Reddit has 20,000 values.
    """
    level: list[Any] = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) in _CONTAINERS
        ]
        if not level:
            return False
    return True
