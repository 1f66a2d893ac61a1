"""A response's body as a JSON object, or a refusal that says what it was instead. Strict: upstream data is untrusted."""

import re
from typing import Any

import orjson

from newsintel.domain.bounds.slices import Sliced
from newsintel.domain.search.outcome import Refusal, Status
from newsintel.outbound.sources.source import Response

_MAX_DEPTH = 32
"""Levels of nesting (reliability list, 19); recorded payloads have at most 12."""

_MOST = {
    "values": (b",", 60_000),
    "objects": (b"{", 8_000),
    "arrays": (b"[", 4_000),
    "escapes": (b"\\", 200_000),
    "characters of four bytes": (b"\xf0", 50_000),
}
"""Of what makes JSON slow to read, by the sign that each begins or ends with. A parser in C cannot be paused: these many take it 5 ms with
a body at its cap. The largest recorded payload, 100 posts of Reddit, has 20,198, 2,713, 1,124, 3,276 and 0."""

# Half of a surrogate pair, escaped, with no other half on its side; the escape must not be one of a backslash. The literal comes first,
# so that the search runs from one to the next.
_HALF = re.compile(rb"\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|[c-fC-F]..(?<!\\u[dD][89abAB]..\\u[dD][c-fC-F]..))(?<!\\.{6})", re.DOTALL)


_MOST_SURROGATES = 20_000
"""Among which halves are looked for; each takes 0.1 us."""


def read_object(response: Response) -> Sliced[dict[str, Any] | Refusal]:
    """The JSON object in a body.

    UTF-8 without a byte order mark (RFC 8259, 8.1), without NaN or Infinity (section 6), at most 32 levels deep, of at most _MOST.
    """
    found = yield from _parse(response.body)
    if isinstance(found, dict):
        return found
    detail = f"{found} ({len(response.body)} bytes, content type {media_type(response)}, HTTP {response.status})"
    return Refusal(Status.BAD_PAYLOAD, detail, response.status)


def media_type(response: Response) -> str:
    """The declared media type, e.g. `text/html`; `unknown` where there is none that is well-formed."""
    match = re.match(r"\s*([a-zA-Z]{1,20}/[a-zA-Z0-9.+-]{1,40})", response.headers.get("content-type", ""))
    return match[1].lower() if match else "unknown"


def _parse(body: bytes) -> Sliced[dict[str, Any] | str]:
    """The object, or what the body is instead."""
    start = body.lstrip()[:1]
    if start in (b"", b"<"):
        return "an HTML page instead of JSON" if start else "an empty body"
    for name, (sign, most) in _MOST.items():
        if body.count(sign) > most:
            return f"JSON of more than {most:,} {name}"
    yield
    try:
        value = yield from _loads(body)
    except orjson.JSONDecodeError:  # cut short, NaN, a number of thousands of digits, a byte order mark; a nesting bomb
        yield
        return "not valid JSON" if _is_utf_8(body) else "not UTF-8"
    if not isinstance(value, dict):
        return "JSON, but not an object"
    yield
    return f"JSON nested more than {_MAX_DEPTH} levels deep" if _too_deep(value) else value


def _loads(body: bytes) -> Sliced[Any]:
    """The value in a body. orjson takes no half of a surrogate pair, which JSON may hold (RFC 8259, 8.2): such are taken out."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        yield
        if body.count(rb"\ud") + body.count(rb"\uD") > _MOST_SURROGATES:
            raise
        whole, halves = _HALF.subn(b"", body)
        if not halves:
            raise
        yield
        return orjson.loads(whole)


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _too_deep(value: dict[str, Any]) -> bool:
    """Walk level by level: no recursion of our own."""
    level: list[Any] = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            child for node in level for child in (node.values() if isinstance(node, dict) else node) if isinstance(child, (dict, list))
        ]
    return bool(level)
