"""The kinds of nested values in a JSON body: objects with declared members, and lists."""

from collections.abc import Callable
from typing import Any

from newsintel.http.request.json_body import Member, read_members
from newsintel.http.request.query_kinds import Kind


def json_object(*members: Member, make: Callable[..., Any]) -> Kind:
    """An object with these members.

    Args:
        members: as in a body; each has a default or is required.
        make: makes the result of their values, by name.
    """

    def parse(value: Any) -> Any:
        if not isinstance(value, dict):
            names = ", ".join(one.name for one in members)
            raise ValueError(f"must be an object with {names}")  # noqa: TRY004 - as every kind
        try:
            return make(**read_members(members, value))
        except ExceptionGroup as group:
            faults = "; ".join(str(error) for error in group.exceptions)
            raise ValueError(f"is not valid: {faults}") from None

    schema = {
        "type": "object",
        "properties": {one.name: one.kind.schema for one in members},
        "required": [one.name for one in members if one.required],
        "additionalProperties": False,
    }
    return Kind(schema, parse)


def json_list(kind: Kind, fewest: int, most: int) -> Kind:
    """A list of limited length; the result is a tuple."""

    def parse(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not fewest <= len(value) <= most:
            raise ValueError(f"must be a list of {fewest} to {most}")
        return tuple(map(kind.parse, value))

    return Kind(
        {"type": "array", "items": kind.schema, "minItems": fewest, "maxItems": most}, parse
    )
