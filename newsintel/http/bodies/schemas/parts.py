"""The parts of our JSON Schemas: values, ids, and how they are put together.

Later versions may add members, so no schema forbids unknown members.
"""

from typing import Any

from newsintel.domain.personal.preferences import KEY

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
BLANK: Schema = {"type": "string", "maxLength": 0}
MOMENT: Schema = {"type": "string", "format": "date-time"}
URI: Schema = {"type": "string", "format": "uri"}
COUNTRY: Schema = {"type": "string", "pattern": "^[A-Z]{2}$"}
SESSION_ID: Schema = {"type": "string", "pattern": "^s_[a-z2-7]{20}$"}
KEY_ID: Schema = {"type": "string", "pattern": "^k_[a-z2-7]{20}$"}
ARTICLE_ID: Schema = {"type": "string", "pattern": "^a_[a-z2-7]{20}$"}
PREFERENCE_KEY: Schema = {"type": "string", "pattern": f"^{KEY}$"}
FEED_ID: Schema = {"type": "string", "pattern": "^f_[a-z2-7]{20}$"}
FEED_SECRET: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
SAVED_SEARCH_ID: Schema = {"type": "string", "pattern": "^w_[a-z2-7]{20}$"}
SEARCH_ID: Schema = {"type": "string", "pattern": "^h_[a-z2-7]{20}$"}


def one_of(values: Any) -> Schema:
    """One of an enum's values."""
    return {"type": "string", "enum": [str(value) for value in values]}


def nullable(schema: Schema) -> Schema:
    """A schema's value or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def or_blank(schema: Schema) -> Schema:
    """A schema's value in a form or on a page, or nothing: forms send their empty fields too."""
    if schema.keys() <= {"type", "minLength", "maxLength"} and schema["type"] == "string":
        return {name: value for name, value in schema.items() if name != "minLength"}
    if schema.get("type") != "array":
        return {"anyOf": [schema, BLANK]}
    # The type stays outside, because it decides how the values are written into a query string.
    rules = {name: value for name, value in schema.items() if name != "type"}
    return {"type": "array", "anyOf": [rules, {"items": BLANK, "maxItems": 1}]}


def list_of(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def map_of(values: Schema) -> Schema:
    """An object used as a map."""
    return {"type": "object", "additionalProperties": values}


def object_of(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with required and optional members."""
    return {"type": "object", "properties": required | optional, "required": list(required)}


def event_of(name: str, data: Schema) -> Schema:
    """A server-sent event with JSON as its data."""
    json_text = TEXT | {"contentMediaType": "application/json", "contentSchema": data}
    return object_of({"event": TEXT | {"const": name}, "id": TEXT, "data": json_text})


def ref(name: str) -> Schema:
    """A reference to a member of COMPONENTS."""
    return {"$ref": f"#/components/schemas/{name}"}


ARTICLE: dict[str, Schema] = {
    "id": ARTICLE_ID,
    "title": TEXT,
    "description": nullable(TEXT),
    "url": URI,
    "source": TEXT,
    "publisher": TEXT,
    "section": nullable(TEXT),
    "author": nullable(TEXT),
    "image_url": nullable(URI),
    "language": nullable(TEXT),
    "published_at": MOMENT,
    "discussion": nullable(ref("Discussion")),
}
"""The members of every article."""
