"""Describes a set of named values as JSON Schema: for OpenAPI, and for tools of other protocols."""

from collections.abc import Iterable
from typing import Any

from newsintel.http.bodies.schemas.parts import BLANK, or_blank
from newsintel.http.request.json_body import LEFT_OUT, Member
from newsintel.http.request.query_string import Parameter


def describe_object(
    members: Iterable[Member | Parameter], *, blank: bool = False
) -> dict[str, Any]:
    """Return the schema of an object with these members and no others.

    With `blank`, what is not required may be the empty text, as a form sends it. There, one value
    of several looks like a value that may not be repeated.
    """
    members = tuple(members)
    properties = {
        one.name: (_describe_field(one) if blank else _describe_value(one))
        | {"description": one.about}
        | ({} if one.default in (LEFT_OUT, None, ()) else {"default": one.default})
        for one in members
    }
    return {
        "type": "object",
        "properties": properties,
        "required": [one.name for one in members if one.required],
        "additionalProperties": False,
    }


def _describe_value(member: Member | Parameter) -> dict[str, Any]:
    return member.schema if isinstance(member, Parameter) else member.kind.schema


def _describe_field(member: Member | Parameter) -> dict[str, Any]:
    schema = _describe_value(member)
    several = schema.get("type") == "array"
    if not member.required:
        schema = or_blank(schema)
    if not several:
        return schema
    return {"anyOf": [schema, member.kind.schema, *([] if member.required else [BLANK])]}
