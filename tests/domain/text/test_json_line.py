"""Reading a line as a JSON object, compared with RFC 8259 and Python's own reader."""

import json
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.text.json_line import read_object

NUMBERS = st.integers(-(10**98), 10**98) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(row=st.dictionaries(st.text(), VALUES), ascii_only=st.booleans())
def test_an_object_is_read_as_pythons_json_reads_it(row, ascii_only):
    """Integers of any length stay exact. Text may mention NaN."""
    row |= {"text": "NaN and Infinity"}
    assert read_object(json.dumps(row, ensure_ascii=ascii_only).encode()) == row


@given(
    row=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), VALUES, min_size=1),
    data=st.data(),
)
def test_nan_and_infinity_are_refused_by_the_name_of_their_field(row, data):
    """At any depth, although Python's own reader accepts them."""
    name = data.draw(st.sampled_from(sorted(row)))
    constant = data.draw(st.sampled_from([float("nan"), inf, -inf]))
    wrap = data.draw(
        st.sampled_from([lambda it: it, lambda it: [1, it], lambda it: {"a": [{"b": it}]}])
    )
    with pytest.raises(ValueError, match=r"^not JSON: .* is or holds NaN or Infinity$"):
        read_object(json.dumps(row | {name: wrap(constant)}).encode())


def test_the_examples_of_the_rfc_are_an_object_and_an_array():
    """RFC 8259, section 13. The array is refused, because a line must be an object."""
    image = """{
        "Image": {
            "Width":  800,
            "Height": 600,
            "Title":  "View from 15th Floor",
            "Thumbnail": {
                "Url":    "http://www.example.com/image/481989943",
                "Height": 125,
                "Width":  100
            },
            "Animated" : false,
            "IDs": [116, 943, 234, 38793]
          }
      }"""
    assert read_object(image.encode())["Image"]["IDs"] == [116, 943, 234, 38793]
    with pytest.raises(ValueError, match=r"^not a JSON object$"):
        read_object(b'[{"precision": "zip", "Latitude": 37.7668, "Longitude": -122.3959}]')


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b'{"a": "\\ud800"}', {"a": "\ud800"}),
        (b'{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
        (
            b'{"a": -123456789012345678901234567890, "b": 1.0}',
            {"a": -123456789012345678901234567890, "b": 1.0},
        ),
        (b'{"a": ' + b"9" * 5000 + b"}", {"a": inf}),
        (b'{"a": 1e999}', {"a": inf}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_unusual_json_is_read(line, found):
    """Half of a surrogate pair, numbers of any length, a repeated name."""
    assert read_object(line) == found


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "not JSON: "),
        (b"NaN", "not JSON: it is or holds NaN"),
        (b"[Infinity]", "not JSON: it is or holds NaN"),
        (b'{"a": "\xff"}', "not JSON: byte 8 is not UTF-8"),
        (b'{"a": 12345678901234567890, "b": "\xff"}', "not JSON: byte 35 is not UTF-8"),
        (b'{"a": 12345678901234567890', "not JSON: unexpected end of data at column 27"),
        (b'{"\\ud800\x1b[31m' + b"x" * 100 + b'": NaN}', "not JSON: "),
        (b"[" * 100_000, "not JSON: nested too deeply"),
        (b"[" * 1015 + b"1234567890123456789" + b"]" * 1015, "not JSON: nested too deeply"),
        (b'{"a": "tab\there"}', "not JSON: "),
    ],
)
def test_other_lines_are_refused_with_a_short_reason(line, reason):
    """The reason quotes nothing but names of members, and fits behind "is"."""
    with pytest.raises(ValueError, match=r"^not ") as refusal:
        read_object(line)
    assert str(refusal.value).startswith(reason)
    assert len(str(refusal.value)) < 120
    assert str(refusal.value).isprintable()
