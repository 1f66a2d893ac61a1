"""A response's body as a JSON object, or a refusal that says what it was instead. Strict: upstream data is untrusted."""

import json
import re
from typing import Any, NoReturn

import orjson

from newsintel.model import Refusal, Status
from newsintel.sources.source import Response

_MAX_DEPTH = 32
"""Levels of nesting (reliability list, 19); recorded payloads have at most 12."""


def read_object(response: Response) -> dict[str, Any] | Refusal:
    """The JSON object in a body.

    UTF-8 without a byte order mark (RFC 8259, 8.1), without NaN or Infinity (section 6), at most 32 levels deep.
    """
    found = _parse(response.body)
    if isinstance(found, dict):
        return found
    detail = f"{found} ({len(response.body)} bytes, content type {media_type(response)}, HTTP {response.status})"
    return Refusal(Status.BAD_PAYLOAD, detail, response.status)


def media_type(response: Response) -> str:
    """The declared media type, e.g. `text/html`; `unknown` where there is none that is well-formed."""
    match = re.match(r"\s*([a-zA-Z]{1,20}/[a-zA-Z0-9.+-]{1,40})", response.headers.get("content-type", ""))
    return match[1].lower() if match else "unknown"


def _parse(body: bytes) -> dict[str, Any] | str:
    """The object, or what the body is instead."""
    start = body.lstrip()[:1]
    if start in (b"", b"<"):
        return "an HTML page instead of JSON" if start else "an empty body"
    try:
        value = _loads(body)
    except UnicodeDecodeError:
        return "not UTF-8"
    except (ValueError, RecursionError):  # cut short, NaN, a number of thousands of digits, a byte order mark; a nesting bomb
        return "not valid JSON"
    if not isinstance(value, dict):
        return "JSON, but not an object"
    return f"JSON nested more than {_MAX_DEPTH} levels deep" if _too_deep(value) else value


def _loads(body: bytes) -> Any:
    """The value in a body: by orjson, ten times as quick; by `json` where that is too strict (it takes no half of a surrogate pair)."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _too_deep(value: dict[str, Any]) -> bool:
    """Walk level by level: no recursion of our own."""
    level: list[Any] = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            child for node in level for child in (node.values() if isinstance(node, dict) else node) if isinstance(child, (dict, list))
        ]
    return bool(level)
