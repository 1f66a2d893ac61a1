"""The kinds of value that a member of a JSON body can have.

A parser takes the decoded JSON value, or raises a ValueError that states the rule.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from newsintel.domain.text.moments import KEPT_FROM, KEPT_UNTIL, read_moment
from newsintel.http.request.query_kinds import Kind


def string(shortest: int, longest: int) -> Kind:
    """Text of a limited length, counted in code points."""

    def parse(value: Any) -> str:
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise ValueError(f"must be text of {shortest} to {longest} characters")
        return value

    return Kind({"type": "string", "minLength": shortest, "maxLength": longest}, parse)


def word(*words: str) -> Kind:
    """One of a few words. The result is the given object, such as a member of a StrEnum."""
    known = {word: word for word in words}

    def parse(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"must be one of {', '.join(words)}")
        return known[value]

    return Kind({"type": "string", "enum": [str(one) for one in words]}, parse)


def moment() -> Kind:
    """An RFC 3339 date-time within the years that we store."""

    def parse(value: Any) -> datetime:
        if not isinstance(value, str) or "T" not in value.upper():
            raise ValueError("must be a date-time such as 2026-01-31T12:00:00Z")
        read = read_moment(value, end=False)
        if not KEPT_FROM <= read < KEPT_UNTIL:
            raise ValueError(f"must lie in the years from {KEPT_FROM.year} to {KEPT_UNTIL.year - 1} (UTC)")
        return read

    return Kind({"type": "string", "format": "date-time"}, parse)


def or_null(kind: Kind) -> Kind:
    """The given kind, or null."""

    def parse(value: Any) -> Any:
        return None if value is None else kind.parse(value)

    return Kind({"anyOf": [kind.schema, {"type": "null"}]}, parse)


def anything(check: Callable[[Any], Any] = lambda value: value) -> Kind:
    """Any JSON value; `check` or the code that uses the value validates it."""
    return Kind({}, check)
