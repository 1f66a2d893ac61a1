"""Examples made from schemas; a validator of JSON Schema decides whether they fit."""

import json

import pytest
from jsonschema import Draft202012Validator

from newsintel.http.bodies.examples import DOCUMENTS, build_example, find_document
from newsintel.http.bodies.schemas.components import COMPONENTS
from newsintel.http.bodies.schemas.parts import (
    COUNT,
    MOMENT,
    NUMBER,
    TEXT,
    list_of,
    map_of,
    nullable,
    object_of,
    or_blank,
    ref,
)


def is_valid(schema, value):
    """Whether a schema allows a value."""
    whole = {"components": {"schemas": COMPONENTS}} | schema
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(whole, format_checker=checker).is_valid(value)


@pytest.mark.parametrize("name", COMPONENTS)
def test_each_body_has_an_example(name):
    """Events of a stream have theirs as text."""
    example = build_example(ref(name))
    assert is_valid(ref(name), example)
    if name == "StreamEvent":
        assert set(json.loads(example["data"])) >= {"name", "status"}


@pytest.mark.parametrize(
    ("schema", "name", "expected"),
    [
        (TEXT | {"examples": ["mine"]}, "title", "mine"),
        (TEXT, "unheard_of", "unheard_of"),
        (TEXT, "", "…"),
        (TEXT | {"maxLength": 2}, "title", "Ri"),
        (TEXT | {"pattern": "^[0-9]{9}$"}, "number", "number"),
        (TEXT | {"pattern": "^[A-Z]{2}$"}, "", "GB"),
        (TEXT | {"format": "date"}, "", "2026-03-01"),
        ({"const": "a"}, "", "a"),
        ({"enum": ["b", "c"]}, "", "b"),
        (nullable(MOMENT), "", "2026-03-01T12:00:00Z"),
        ({"type": "null"}, "", None),
        ({"type": "boolean"}, "", True),
        (NUMBER | {"minimum": 0, "maximum": 0.5}, "score", 0.5),
        (COUNT | {"minimum": 30}, "limit", 30),
        (COUNT | {"default": 7}, "limit", 7),
        (list_of(COUNT) | {"minItems": 2}, "highlights", [0, 0]),
        (map_of(COUNT), "countries", {"GB": 1}),
        (map_of(COUNT), "unheard_of", {"guardian": 1}),
        ({"type": "object"}, "", {}),
        (
            object_of({"page": COUNT}, title=TEXT),
            "",
            {"page": 1, "title": "Rivers rise after days of rain"},
        ),
        ({}, "value", "value"),
    ],
)
def test_values_follow_from_type_and_name(schema, name, expected):
    """Each kind of schema that our descriptions have."""
    assert build_example(schema, name) == expected


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (TEXT | {"minLength": 1, "maxLength": 3}, ["", "abc"], ["abcd", 1]),
        (TEXT | {"pattern": "^a$"}, ["", "a"], ["b"]),
        ({"type": "integer", "minimum": 1}, ["", 1], [0, "x"]),
        ({"enum": ["a"]}, ["", "a"], ["b", None]),
        (list_of({"enum": ["a", "b"]}) | {"minItems": 1}, [["a", "b"], [""], []], [["", "a"], ""]),
    ],
)
def test_an_empty_field_is_allowed_beside_valid_values(schema, good, bad):
    """A form sends the fields that nobody filled in; nothing else becomes valid."""
    assert [value for value in good if not is_valid(or_blank(schema), value)] == []
    assert [value for value in bad if is_valid(or_blank(schema), value)] == []


def test_texts_have_a_beginning():
    """One that is not known has a sign that something is there."""
    assert all(map(find_document, DOCUMENTS))
    assert find_document("text/unheard-of") == "…"
