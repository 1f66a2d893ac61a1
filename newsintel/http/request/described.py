"""Describes a set of named values as JSON Schema: for OpenAPI, and for tools of other protocols."""

from collections.abc import Iterable
from typing import Any

from newsintel.http.request.json_body import LEFT_OUT, Member
from newsintel.http.request.query_string import Parameter


def describe_object(members: Iterable[Member | Parameter]) -> dict[str, Any]:
    """Return the schema of an object with these members and no others."""
    members = tuple(members)
    properties = {
        one.name: (one.schema if isinstance(one, Parameter) else one.kind.schema)
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
