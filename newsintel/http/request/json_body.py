"""Strict reader of JSON bodies: returns the object that a route declares, or names each bad member.

The framework's own reader answers deep nesting and invalid UTF-8 with a 500, accepts NaN, and for
two members with the same name takes the last.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, cast

from attrs import define, frozen
from quart import Request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from newsintel.errors import InvalidBodyError
from newsintel.http.request.query_kinds import Kind

MAX_DEPTH = 32
"""Levels of arrays and objects (OWASP ASVS 5.0, 15.2.2 requires a limit; our bodies need fewer)."""

LEAST, GREATEST, MOST_DIGITS = -(2**63), 2**64 - 1, 20
"""The integers that `codec.to_json` can write (signed or unsigned 64 bits), and the most characters
that one can have."""

MAX_ERRORS = 20

MAX_VALUES = 5_000
"""JSON values in a body, member names included. The largest preference, 4 KiB of single digits, has
half as many."""

TOO_MANY = f"holds more than {MAX_VALUES:,} values"

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

MAX_TYPE_CHARS = 256
"""Characters of a Content-Type; a longer one is not read and counts as unsupported."""


class LeftOut(Enum):
    """The type of LEFT_OUT."""

    LEFT_OUT = "left out"


LEFT_OUT: Final = LeftOut.LEFT_OUT
"""The value of an absent member without default."""


@frozen
class Member:
    """One member of a body: its public name, its kind of JSON value, and its value when absent."""

    name: str
    kind: Kind
    about: str
    default: Any = LEFT_OUT
    required: bool = False


async def read_body(members: Sequence[Member], request: Request) -> dict[str, Any]:
    """Read a request's body by the members that its route declares.

    Raises:
        UnsupportedMediaType: the body is not application/json in UTF-8.
        BadRequest: the body is not a JSON object within the limits.
        ExceptionGroup: InvalidBodyErrors, one for each member that is unknown, missing or invalid.
        RequestEntityTooLarge, RequestTimeout: from the framework, over its limits of size and time.
    """
    if not _is_json(request):
        raise UnsupportedMediaType("The body must be sent as Content-Type: application/json.")
    return read_members(members, parse_object(cast(bytes, await request.get_data(cache=False))))


def _is_json(request: Request) -> bool:
    """Whether a body is sent as JSON in UTF-8. Other parameters of the type are ignored."""
    if read_media_type(request) != "application/json":
        return False
    return bool(request.mimetype_params.get("charset", "utf-8").lower() == "utf-8")


def read_media_type(request: Request) -> str:
    """Return the media type of a body in small letters; empty if its header is too long."""
    too_long = len(request.headers.get("Content-Type", "")) > MAX_TYPE_CHARS
    return "" if too_long else request.mimetype


def parse_object(raw: bytes) -> dict[str, Any]:
    """Parse a JSON object (RFC 8259) by this module's rules; raise BadRequest if it is invalid."""
    left = _ValueBudget(MAX_VALUES)
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=left.build_object,
            parse_constant=_refuse_constant,
            parse_float=left.parse_float,
            parse_int=left.parse_int,
        )
        _check_tree(value)
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    except json.JSONDecodeError:
        raise BadRequest("The body is not JSON.") from None
    except RecursionError:
        raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except ValueError as error:
        raise BadRequest(f"The body {error}.") from None
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value


def read_members(members: Iterable[Member], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every member's value by name.

    Raises:
        ExceptionGroup: as from `read_body`.
    """
    known = {member.name: member for member in members}
    listed = ", ".join(known)
    errors = [
        InvalidBodyError(name[:64], "unknown", f"{name[:64]} is not a member here; known: {listed}")
        for name in given
        if name not in known
    ]
    values: dict[str, Any] = {}
    for name, member in known.items():
        if name not in given:
            if member.required:
                errors.append(InvalidBodyError(name, "required", f"{name} is required"))
            values[name] = member.default
            continue
        try:
            values[name] = member.kind.parse(given[name])
        except ValueError as error:
            errors.append(InvalidBodyError(name, "invalid", f"{name} {error}"))
    if errors:
        raise ExceptionGroup("the body cannot be used", errors[:MAX_ERRORS])
    return values


@define
class _ValueBudget:
    """How many more values a body may have.

    The limit is more than our bodies need, and low enough that reading does not block other
    requests.
    """

    _values: int

    def build_object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return an object of these members; raise a ValueError if a name occurs twice."""
        self._count_value()
        members = dict(pairs)
        if len(members) < len(pairs):
            raise ValueError("has a member twice")
        return members

    def parse_int(self, digits: str) -> int:
        """An integer."""
        self._count_value()
        if len(digits) > MOST_DIGITS or not LEAST <= (number := int(digits)) <= GREATEST:
            raise ValueError("holds a whole number of more than 64 bits")
        return number

    def parse_float(self, digits: str) -> float:
        """A number with a fraction or an exponent."""
        self._count_value()
        number = float(digits)
        if number in (float("inf"), -float("inf")):
            raise ValueError("holds a number that is too large")
        return number

    def _count_value(self) -> None:
        self._values -= 1
        if self._values < 0:
            raise ValueError(TOO_MANY)


def _refuse_constant(_name: str) -> Any:
    raise ValueError("holds NaN or Infinity, which are not JSON")


def _check_tree(value: Any) -> None:
    """Check a value level by level, without recursion.

    Raises:
        RecursionError: it is nested too deeply.
        ValueError: it has too many values, or text that PostgreSQL cannot store.
    """
    level, seen = [value], 0
    for depth in range(MAX_DEPTH + 1):
        seen += len(level)
        if seen > MAX_VALUES:
            raise ValueError(TOO_MANY)
        following: list[Any] = []
        for one in level:
            if isinstance(one, str):
                if _UNSTORABLE.search(one):
                    raise ValueError("holds text with NUL or half a surrogate pair")
            elif isinstance(one, dict | list):
                if depth == MAX_DEPTH:
                    raise RecursionError
                following += (*one, *one.values()) if isinstance(one, dict) else one
        level = following
