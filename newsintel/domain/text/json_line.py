"""Reads one line of a file as a JSON object that another program wrote.

Strict about JSON, and no stricter: the caller checks the content of a line, field by field.
"""

import json
import re
from math import inf
from typing import Any

import orjson

from newsintel.domain.text.clean import to_plain_text

_LONG_NUMBER = re.compile(rb"[0-9]{19}")
"""Digits that may be an integer of more than 64 bits, which orjson reads as a float."""

_MOST_DIGITS = 100
"""Maximum digits of a number that is read as an integer. `int` raises beyond Python's own limit of
4,300."""


class _Constant(float):
    """NaN or an infinity. Python and other programs write them; JSON has neither (RFC 8259, 6)."""


def read_object(line: bytes) -> dict[str, Any]:
    """Return the object of a line. Integers are exact; strings may hold half a surrogate pair.

    Raises:
        ValueError: the line is not a JSON object. The message fits after "is" and quotes at most
            the name of a field.
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        row = _parse_leniently(line, error)
    else:
        row = _parse_exactly(line) if _LONG_NUMBER.search(line) else row
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - about the content
    return row


def _parse_leniently(line: bytes, refused: orjson.JSONDecodeError) -> Any:
    """Parse with `json` a line that orjson refuses.

    `json` accepts halves of surrogate pairs and shows where a NaN is.
    """
    try:
        return _parse_exactly(line)
    except json.JSONDecodeError:
        raise ValueError(f"not JSON: {refused.msg} at column {refused.colno}") from refused


def _parse_exactly(line: bytes) -> Any:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not JSON: byte {error.start + 1} is not UTF-8") from error
    try:
        row = json.loads(text, parse_constant=_Constant, parse_int=_parse_integer)
    except RecursionError:
        raise ValueError("not JSON: nested too deeply") from None
    if "NaN" in text or "Infinity" in text:
        _refuse_constants(row if isinstance(row, dict) else {"it": row})
    return row


def _refuse_constants(row: dict[str, Any]) -> None:
    for name, value in row.items():
        if _has_constant(value):
            raise ValueError(f"not JSON: {to_plain_text(name, 40)} is or holds NaN or Infinity")


def _parse_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else inf


def _has_constant(value: Any) -> bool:
    """Whether a value holds a _Constant. Goes level by level, without recursion."""
    level = [value]
    while level:
        if any(isinstance(one, _Constant) for one in level):
            return True
        level = [
            child
            for one in level
            if isinstance(one, dict | list)
            for child in (one.values() if isinstance(one, dict) else one)
        ]
    return False
