"""Reading JSON bodies: what is accepted, and which error names the rest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest

from newsintel.http.request.json_body import LEFT_OUT, MAX_DEPTH, Member, parse_object, read_members
from newsintel.http.request.json_kinds import any_json, choice, date_time, nullable, string

MEMBERS = (
    Member("name", string(1, 5), "A name.", required=True),
    Member("scope", choice("read", "write"), "A scope.", "read"),
    Member("notes", nullable(string(0, 3)), "Notes."),
    Member("until", date_time(), "A time.", None),
    Member("value", any_json(), "Anything."),
)


def fields(error):
    """Return the field and code of each error in a group."""
    return {(one.field, one.code) for one in error.value.exceptions}


def test_an_absent_member_gets_its_default_or_is_left_out():
    """A route can tell null from an absent member."""
    absent = {"scope": "read", "notes": LEFT_OUT, "until": None, "value": LEFT_OUT}
    assert read_members(MEMBERS, {"name": "a"}) == {"name": "a"} | absent
    assert read_members(MEMBERS, {"name": "a", "notes": None, "value": None})["notes"] is None


def test_each_wrong_member_is_named():
    """One error group names all of them."""
    with pytest.raises(ExceptionGroup) as error:
        read_members(MEMBERS, {"scope": "all", "notes": "long", "until": "2026-01-01", "other": 1})
    assert fields(error) == {
        ("name", "required"),
        ("scope", "invalid"),
        ("notes", "invalid"),
        ("until", "invalid"),
        ("other", "unknown"),
    }


@pytest.mark.parametrize("value", [1, None, ["a"], {}, True, "", "abcdef"])
def test_a_wrong_type_or_length_is_refused(value):
    """The reader does not convert other types to text."""
    with pytest.raises(ExceptionGroup):
        read_members(MEMBERS, {"name": value})


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\xe9"}', "not UTF-8"),
        (b"[]", "a JSON object"),
        (b"null", "a JSON object"),
        (b'"a"', "a JSON object"),
        (b'{"a": 1, "a": 2}', "a member twice"),
        (b'{"a": {"b": 1, "b": 1}}', "a member twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "NaN"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "64 bits"),
        (b'{"a": 18446744073709551616}', "64 bits"),
        (b'{"a": -9223372036854775809}', "64 bits"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"\\ud800": 1}', "surrogate"),
        (b'{"a": ' + b"[" * 60_000 + b"]" * 4, "not JSON|deeper"),
        (b'{"a": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "deeper"),
    ],
)
def test_a_body_that_is_no_object_within_limits_is_refused(raw, says):
    """The error is one sentence that quotes nothing from the body."""
    with pytest.raises(BadRequest, match=says) as error:
        parse_object(raw)
    assert error.value.description.startswith("The body ")


def test_nesting_up_to_the_limit_is_accepted():
    """The deepest accepted body has one level less than the first refused one."""
    assert parse_object(b'{"a": ' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}")


VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.floats()


@given(st.dictionaries(st.text(), st.recursive(VALUES, st.lists, max_leaves=5)))
def test_anything_is_an_object_or_a_bad_request(value):
    """An accepted body has the value that was sent."""
    try:
        assert parse_object(json.dumps(value).encode()) == value
    except BadRequest:
        assert any(sign in json.dumps(value) for sign in ("NaN", "Infinity", "\\u0000", "\\ud"))
