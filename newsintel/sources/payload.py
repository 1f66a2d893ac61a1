"""A response's body as a JSON object, or a refusal that says what it was instead. Strict: upstream data is untrusted."""

import json
import re
from typing import Any, NoReturn

from newsintel.model import Refusal, Status
from newsintel.sources.source import Response

_MAX_DEPTH = 32
"""Levels of nesting (reliability list, 19); recorded payloads have at most 12."""


def read_object(response: Response) -> dict[str, Any] | Refusal:
    """The JSON object in a body.

    UTF-8 without a byte order mark (RFC 8259, 8.1), without NaN or Infinity (section 6), at most 32 levels deep.
    """
    if not response.body.strip():
        return _bad(response, "an empty body")
    if response.body.lstrip()[:1] == b"<":
        return _bad(response, "an HTML page instead of JSON")
    try:
        value = json.loads(response.body.decode("utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError:
        return _bad(response, "not UTF-8")
    except (ValueError, RecursionError):  # cut short, NaN, a number of thousands of digits, a byte order mark; a nesting bomb
        return _bad(response, "not valid JSON")
    if not isinstance(value, dict):
        return _bad(response, "JSON, but not an object")
    if _too_deep(value):
        return _bad(response, f"JSON nested more than {_MAX_DEPTH} levels deep")
    return value


def media_type(response: Response) -> str:
    """The declared media type, e.g. `text/html`; `unknown` where there is none that is well-formed."""
    match = re.match(r"\s*([a-zA-Z]{1,20}/[a-zA-Z0-9.+-]{1,40})", response.headers.get("content-type", ""))
    return match[1].lower() if match else "unknown"


def _bad(response: Response, what: str) -> Refusal:
    detail = f"{what} ({len(response.body)} bytes, content type {media_type(response)}, HTTP {response.status})"
    return Refusal(Status.BAD_PAYLOAD, detail, response.status)


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
