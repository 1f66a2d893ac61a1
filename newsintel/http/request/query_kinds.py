"""The kinds of value of path and query parameters; `json_kinds` has those of JSON bodies.

A `Kind` holds a value's parser and its description for OpenAPI together, so that they cannot drift
apart. A parser takes the decoded text, or raises a ValueError whose message states the rule and
continues a sentence that starts with the parameter's name.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import frozen

from newsintel.domain.archive.model import SOURCE_NAME
from newsintel.domain.text.moments import parse_time


@frozen
class Kind:
    """A kind of value: the JSON Schema of valid values, and the parser."""

    schema: dict[str, Any]
    parse: Callable[[Any], Any]


def whole_number(low: int, high: int) -> Kind:
    """A whole number in ASCII digits.

    `int` alone would also accept `1_000`, ` 5 ` and the digits of every script. There may be zeros
    in front, up to six digits in all or as many as `high` has.
    """
    pattern = re.compile(rf"[0-9]{{1,{max(6, len(str(high)))}}}")

    def parse(raw: str) -> int:
        if not pattern.fullmatch(raw) or not low <= int(raw) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(raw)

    return Kind({"type": "integer", "minimum": low, "maximum": high}, parse)


def choice(*words: str) -> Kind:
    """One of a few words. The result is the given object, such as a member of a StrEnum."""
    known = {word: word for word in words}

    def parse(raw: str) -> str:
        if raw not in known:
            raise ValueError(f"must be one of {', '.join(filter(None, words))}")
        return known[raw]

    return Kind({"type": "string", "enum": [str(word) for word in words]}, parse)


def known_names(known: tuple[str, ...]) -> Kind:
    """A comma-separated list of known names. The result has each once, in the order of `known`."""

    def parse(raw: str) -> tuple[str, ...]:
        wanted = set(raw.split(","))
        if not wanted <= set(known):
            raise ValueError(f"must be a comma list out of {', '.join(known)}")
        return tuple(name for name in known if name in wanted)

    return Kind(
        {"type": "array", "items": {"type": "string", "enum": list(known)}, "minItems": 1}, parse
    )


def source_names(known: tuple[str, ...]) -> Kind:
    """A comma-separated list of sources that the archive may hold.

    The result has the known sources first, in the order of `known`, then the others by name. Only
    the archive knows which other sources exist, from imports.
    """

    def parse(raw: str) -> tuple[str, ...]:
        wanted = set(raw.split(","))
        if not all(re.fullmatch(SOURCE_NAME, name) for name in wanted):
            raise ValueError(
                f"must be a comma list out of {', '.join(known)}, or of sources that were imported"
            )
        return (*(name for name in known if name in wanted), *sorted(wanted - set(known)))

    return Kind(
        {
            "type": "array",
            "items": {"type": "string", "pattern": f"^{SOURCE_NAME}$"},
            "minItems": 1,
        },
        parse,
    )


def free_text(longest: int | None = None) -> Kind:
    """Free text; the code that uses it validates it.

    Args:
        longest: in code points, for the description only. None = the description has no limits.
    """
    return Kind(
        {"type": "string"} | ({"minLength": 1, "maxLength": longest} if longest else {}), str
    )


def limited_text(longest: int) -> Kind:
    """Text of a limited length, counted in code points."""

    def parse(raw: str) -> str:
        if len(raw) > longest:
            raise ValueError(f"must be text of at most {longest} characters")
        return raw

    return Kind({"type": "string", "maxLength": longest}, parse)


def matching_text(schema: dict[str, Any], rule: str) -> Kind:
    """Text that matches a schema's pattern.

    Args:
        schema: has a `pattern`, which means the same in Python and in ECMA 262.
        rule: the pattern in words, after "must be".
    """

    def parse(raw: str) -> str:
        if not re.fullmatch(schema["pattern"], raw):
            raise ValueError(f"must be {rule}")
        return raw

    return Kind(schema, parse)


def language_code() -> Kind:
    """A two-letter language code (ISO 639-1), in either case."""

    def parse(raw: str) -> str:
        if not re.fullmatch(r"[A-Za-z]{2}", raw):
            raise ValueError("must be two letters such as en")
        return raw.lower()

    return Kind({"type": "string", "pattern": "^[A-Za-z]{2}$"}, parse)


def date_or_time(*, end: bool = False) -> Kind:
    """An RFC 3339 date-time, or a date, which means its first (with `end`, last) moment in UTC."""

    def parse(raw: str) -> datetime:
        try:
            return parse_time(raw, end=end)
        except ValueError as error:
            raise ValueError(f"{error} (write + as %2B)") from None

    return Kind(
        {
            "anyOf": [
                {"type": "string", "format": "date"},
                {"type": "string", "format": "date-time"},
            ]
        },
        parse,
    )
