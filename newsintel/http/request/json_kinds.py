"""The kinds of value that a member of a JSON body can have.

A parser takes the decoded JSON value, or raises a ValueError that states the rule.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from newsintel.domain.text.moments import EARLIEST_TIME, LATEST_TIME, parse_time
from newsintel.http.request.query_kinds import Kind


def string(shortest: int, longest: int) -> Kind:
    """Text of a limited length, counted in code points."""

    def parse(value: Any) -> str:
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise ValueError(f"must be text of {shortest} to {longest} characters")
        return value

    return Kind({"type": "string", "minLength": shortest, "maxLength": longest}, parse)


def name(longest: int) -> Kind:
    """A name for a list of names: text of a limited length that is not only spaces."""
    text = string(1, longest)

    def parse(value: Any) -> str:
        found: str = text.parse(value)
        if not re.search(r"\S", found):
            raise ValueError("must not be only spaces")
        return found

    return Kind({**text.schema, "pattern": r"\S"}, parse)


def matching_string(schema: dict[str, Any], rule: str) -> Kind:
    """Text that matches a schema's pattern.

    Args:
        schema: has a `pattern`, which means the same in Python and in ECMA 262.
        rule: the pattern in words, after "must be".
    """

    def parse(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(schema["pattern"], value):
            raise ValueError(f"must be {rule}")
        return value

    return Kind(schema, parse)


def choice(*words: str) -> Kind:
    """One of a few words. The result is the given object, such as a member of a StrEnum."""
    known = {word: word for word in words}

    def parse(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"must be one of {', '.join(words)}")
        return known[value]

    return Kind({"type": "string", "enum": [str(one) for one in words]}, parse)


def date_time() -> Kind:
    """An RFC 3339 date-time within the years that we store."""

    def parse(value: Any) -> datetime:
        if not isinstance(value, str) or "T" not in value.upper():
            raise ValueError("must be a date-time such as 2026-01-31T12:00:00Z")
        read = parse_time(value, end=False)
        if not EARLIEST_TIME <= read < LATEST_TIME:
            raise ValueError(
                f"must lie in the years from {EARLIEST_TIME.year} to {LATEST_TIME.year - 1} (UTC)"
            )
        return read

    return Kind({"type": "string", "format": "date-time"}, parse)


def nullable(kind: Kind) -> Kind:
    """The given kind, or null."""

    def parse(value: Any) -> Any:
        return None if value is None else kind.parse(value)

    return Kind({"anyOf": [kind.schema, {"type": "null"}]}, parse)


def any_json(check: Callable[[Any], Any] = lambda value: value) -> Kind:
    """Any JSON value; `check` or the code that uses the value validates it."""
    return Kind({}, check)
