"""Bodies that are not a JSON object, and the reasons."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.search.outcome import Refusal, Status
from newsintel.outbound.sources.payload import media_type, read_json_object
from newsintel.outbound.sources.source import Response
from tests.outbound.sources.replies import reply


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "an empty body (0 bytes, content type application/json, HTTP 200)"),
        (b" \n", "an empty body"),
        (b"\n<!doctype html><p>log in", "an HTML page instead of JSON"),
        (b'{"a": [1, 2', "not valid JSON"),
        (b"[" * 4_000, "not valid JSON"),
        (b'{"a":' * 4_000, "not valid JSON"),
        (b"[" * 4_001, "JSON of more than 4,000 arrays"),
        (b'{"a":' * 8_001, "JSON of more than 8,000 objects"),
        (b'{"a":[' + b"1," * 60_001 + b"1]}", "JSON of more than 60,000 values"),
        (b'{"a":"' + b"\\n" * 200_001 + b'"}', "JSON of more than 200,000 escapes"),
        (b'{"n": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b'{"n": NaN}', "not valid JSON"),
        (b'{"n": -Infinity}', "not valid JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "not valid JSON"),
        ('{"a": "é"}'.encode("latin-1"), "not UTF-8"),
        (b"[]", "JSON, but not an object"),
        (b'"text"', "JSON, but not an object"),
        (b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", "JSON nested more than 32 levels deep"),
    ],
)
def test_other_bodies_are_bad_payload(body: bytes, what: str) -> None:
    """Only one JSON object of bounded depth is accepted; the refusal says what the body was."""
    found = run_all(read_json_object(reply(body)))
    assert isinstance(found, Refusal)
    assert (found.status, found.http_status) == (Status.BAD_PAYLOAD, 200)
    assert found.detail.startswith(what)


def test_object_is_returned_unchanged() -> None:
    """The maximum depth is 32 levels."""
    body = b'{"a":' + b"[" * 31 + b"]" * 31 + b"}"
    assert list(run_all(read_json_object(reply(body)))) == ["a"]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"\ud83d!", "!"),
        (r"!\uDE00", "!"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud83d\ude00\ud83d!\uD83D\uDE00", "\U0001f600!\U0001f600"),
        (r"\ud83d\ud83d\ude00\ude00", "\U0001f600"),
        (r"\ude00\ud83d", ""),
        (r"\\ud83d \ud83d", r"\ud83d "),
        (r"\u00e9\ud83d\n", "é\n"),
        (r"\\ud83d\ude00!", r"\ud83d!"),
        (r"\\\ud83d\\\\ude00", r"\\\ude00"),
        (r"\\\\\ud83d\ude00\uDE00", "\\\\\U0001f600"),
    ],
)
def test_half_a_surrogate_pair_is_left_out(text: str, read: str) -> None:
    """Half a pair is legal JSON (RFC 8259, 8.2) but not a character.

    Whole pairs stay, and so does a text that only looks like a half.
    """
    assert run_all(read_json_object(reply(b'{"a": "' + text.encode() + b'"}'))) == {"a": read}


@given(
    st.lists(
        st.sampled_from(
            [r"\ud83d", r"\ude00", r"\\", "u", "d83d", r"\n", "x", r"\uD800", r"\uDFFF"]
        )
    )
)
def test_texts_match_pythons_json_without_half_pairs(parts: list[str]) -> None:
    """Holds for any mixture.

    The standard library keeps halves, which cannot be encoded as UTF-8.
    """
    body = '{"a": "' + "".join(parts) + '"}'
    expected = re.sub("[\ud800-\udfff]", "", json.loads(body)["a"])
    found = run_all(read_json_object(reply(body.encode())))
    assert found == {"a": expected}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Text/HTML; charset=x", "text/html"),
        ("application/problem+json", "application/problem+json"),
        ("", "unknown"),
        ("<b>/x", "unknown"),
    ],
)
def test_media_type_has_no_parameters(header: str, expected: str) -> None:
    """Text that does not belong in a log is never part of it."""
    assert media_type(Response(200, {"content-type": header}, b"")) == expected


def test_missing_content_type_is_unknown() -> None:
    """A reply may lack a content type."""
    assert media_type(Response(200, {}, b"")) == "unknown"
