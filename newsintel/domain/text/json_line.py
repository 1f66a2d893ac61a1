"""One line of a file as a JSON object, as other programs write one.

Strict on what JSON is, and no stricter: what a line holds is judged by its reader, field by field.
"""

import json
import re
from math import inf
from typing import Any

import orjson

from newsintel.domain.text.clean import plain

_LONG_NUMBER = re.compile(rb"[0-9]{19}")
"""Digits that may be a whole number of more than 64 bits, which orjson reads as a float."""

_MOST_DIGITS = 100
"""Of a whole number that is read as one; Python's own limit, past which `int` raises, is 4,300."""


class _Constant(float):
    """NaN or an infinity, which Python's and other programs write although JSON has neither (RFC 8259, 6)."""


def read_object(line: bytes) -> dict[str, Any]:
    """The object of a line. Whole numbers are exact; a string may hold half of a surrogate pair.

    Raises:
        ValueError: it is none; the message fits behind "is", and quotes nothing but the name of a field.
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        row = _second_opinion(line, error)
    else:
        row = _exactly(line) if _LONG_NUMBER.search(line) else row
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of the line's content, as every refusal
    return row


def _second_opinion(line: bytes, refused: orjson.JSONDecodeError) -> Any:
    """What `json` makes of a line that orjson refuses: it takes halves of surrogate pairs, and tells where a NaN is."""
    try:
        return _exactly(line)
    except json.JSONDecodeError:
        raise ValueError(f"not JSON: {refused.msg} at column {refused.colno}") from refused


def _exactly(line: bytes) -> Any:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not JSON: byte {error.start + 1} is not UTF-8") from error
    try:
        row = json.loads(text, parse_constant=_Constant, parse_int=_whole)
    except RecursionError:
        raise ValueError("not JSON: nested too deeply") from None
    if "NaN" in text or "Infinity" in text:
        _refuse_constants(row if isinstance(row, dict) else {"it": row})
    return row


def _refuse_constants(row: dict[str, Any]) -> None:
    for name, value in row.items():
        if _holds_constant(value):
            raise ValueError(f"not JSON: {plain(name, 40)} is or holds NaN or Infinity")


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else inf


def _holds_constant(value: Any) -> bool:
    """Level by level: no recursion of our own."""
    level = [value]
    while level:
        if any(isinstance(one, _Constant) for one in level):
            return True
        level = [child for one in level if isinstance(one, dict | list) for child in (one.values() if isinstance(one, dict) else one)]
    return False
