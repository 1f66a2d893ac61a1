"""Examples for /openapi.json, made from the schemas, so that each schema has one that fits.

A schema can bring its own (`examples`), and some are written by hand. Otherwise the value follows
from the schema's type and its name.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from newsintel.http.bodies.schemas.components import COMPONENTS
from newsintel.http.bodies.schemas.doors import DOOR_COMPONENTS
from newsintel.http.bodies.schemas.parts import Schema
from newsintel.http.bodies.written_examples import EXAMPLES

SCHEMAS = COMPONENTS | DOOR_COMPONENTS

TEXTS = {
    "q": 'climate OR "sea level"',
    "query": "sea level",
    "title": "Rivers rise after days of rain",
    "description": "Towns along the river prepare for the highest water in ten years.",
    "content": "Towns along the river prepare for the highest water in ten years. […]",
    "source": "guardian",
    "publisher": "The Guardian",
    "section": "Environment",
    "author": "A. Reporter",
    "language": "en",
    "username": "alice",
    "provider": "reddit",
    "name": "guardian",
    "client": "Mozilla/5.0 (X11; Linux x86_64)",
    "notes": "for Monday",
    "text": "Rivers rise",
    "terms": "rivers",
    "reasons": "3 people, 4.2 times the usual",
    "version": "1.0.0",
    "detail": "limit must be a whole number from 1 to 100",
    "field": "limit",
    "next": "/saved",
    "back": "/saved",
    "do": "save",
}
"""Values of plain text by the name of the member or parameter that has them."""

NUMBERS = {
    "score": 0.61,
    "similarity": 0.93,
    "latency_ms": 312.4,
    "popularity": 0.2,
    "usual": 1.4,
    "points": 412,
    "comments": 87,
    "total": 35,
    "limit": 20,
    "page": 1,
    "highlights": 0,
    "http_status": 200,
    "status": 400,
    "returned": 50,
    "kept": 48,
    "merged": 6,
}
KEYS = {"countries": "GB", "languages": "en", "score_parts": "title", "preferences": "language"}
"""The one key of a map, by the map's name; of any other map it is SOURCE."""
SOURCE = "guardian"

DIGITS = "mzxw6ytboi4dcmzsgq3t"
MATCHING = (
    *("guardian", "GB", "en"),
    *(f"{letter}_{DIGITS}" for letter in "abcdefghijklmnopqrstuvwxyz"),
    *("ni_" + "Ab3_" * 10 + "Ab3", "Ab3_" * 10 + "Ab3", "whsec_" + "Ab3+" * 10 + "Ab0="),
    *("17", f"1772366400000000.1772366400000000.a_{DIGITS}", "0" + "1f" * 7 + "3"),
    *("user/-/state/com.google/reading-list", "user/-/state/com.google/read"),
)
"""Values for schemas with a pattern: the first that matches is taken."""

FORMATS = {
    "date-time": "2026-03-01T12:00:00Z",
    "date": "2026-03-01",
    "date-time-local": "2026-03-01T12:00:00",
    "iana-time-zone": "Europe/Berlin",
    "uri": "https://www.example.org/news/rivers-rise",
}

DOCUMENTS = {
    "text/html": "<!doctype html><html lang=en><title>newsintel</title>…</html>",
    "text/css": "body { margin: 0 auto }",
    "text/javascript": 'addEventListener("keydown", press);',
    "image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg"/>',
    "application/atom+xml": '<feed xmlns="http://www.w3.org/2005/Atom"><title>newsintel</title></feed>',
    "application/rss+xml": '<rss version="2.0"><channel><title>newsintel</title></channel></rss>',
    "application/opensearchdescription+xml": (
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"/>'
    ),
    "text/x-opml": '<opml version="2.0"><head/><body/></opml>',
    "text/csv": "id,title\r\na_mzxw6ytboi4dcmzsgq3t,Rivers rise after days of rain\r\n",
    "text/plain": "newsintel_flights 2.0\n",
}
"""Beginnings of bodies that are text, by media type."""


def build_example(schema: Schema, name: str = "") -> Any:
    """Return a value that a schema allows.

    Args:
        schema: a JSON Schema as `schemas` and the kinds of values write them.
        name: of the member or parameter that has this value.
    """
    if "$ref" in schema:
        component = schema["$ref"].rpartition("/")[2]
        return EXAMPLES.get(component) or build_example(SCHEMAS[component], name)
    if "examples" in schema:
        return schema["examples"][0]
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            first = {key: value for key, value in schema.items() if key != keyword}
            return build_example(first | schema[keyword][0], name)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    return _BY_TYPE.get(schema.get("type", ""), _write_text)(schema, name)


def find_document(media_type: str) -> str:
    """Return the beginning of a text of a media type."""
    return DOCUMENTS.get(media_type, "…")


def _build_object(schema: Schema, name: str) -> dict[str, Any]:
    members = schema.get("properties", {})
    if members:
        return {member: build_example(one, member) for member, one in members.items()}
    values: Schema | None = schema.get("additionalProperties")
    return {} if values is None else {KEYS.get(name, SOURCE): build_example(values, "language")}


def _build_list(schema: Schema, name: str) -> list[Any]:
    return [build_example(schema["items"], name)] * schema.get("minItems", 1)


def _build_number(schema: Schema, name: str) -> float:
    wanted: float = schema.get("default", NUMBERS.get(name, 1))
    least: float = schema.get("minimum", wanted)
    most: float = schema.get("maximum", max(wanted, least))
    found = min(max(wanted, least), most)
    return round(found) if schema["type"] == "integer" else found


def _write_text(schema: Schema, name: str) -> str:
    if "contentSchema" in schema:
        return json.dumps(build_example(schema["contentSchema"]), ensure_ascii=False)
    if "pattern" in schema:
        return next((one for one in MATCHING if re.search(schema["pattern"], one)), name)
    if "format" in schema:
        return FORMATS[schema["format"]]
    return TEXTS.get(name, name or "…")[: schema.get("maxLength")]


_BY_TYPE: dict[str, Callable[[Schema, str], Any]] = {
    "object": _build_object,
    "array": _build_list,
    "integer": _build_number,
    "number": _build_number,
    "boolean": lambda _schema, _name: True,
    "null": lambda _schema, _name: None,
}
