"""Damaged lines for `newsintel import` and `dedupe`: an article, or one reason."""

import json
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from newsintel.domain.archive.format import dump_line, parse_line
from newsintel.domain.text.json_line import read_object
from tests.domain.archive.test_format import FULL, LEAST, NOW
from tests.fuzzing import count_calls, mutate_bytes, mutate_json

LINES = [json.dumps(LEAST).encode(), dump_line(FULL)]
ROWS = [json.loads(line) for line in LINES]
CALLS, CALLS_PER_BYTE = 1_500, 12
"""The work that a line may cost. The densest line of these tests needs 3 calls a byte."""


def check(line):
    """Read a line; what is read is written as it was read, and a reason names no value."""
    try:
        hit, calls = count_calls(lambda: parse_line(line, NOW))
    except ValueError as error:
        assert len(str(error)) < 200
        return
    assert calls <= CALLS + CALLS_PER_BYTE * len(line)
    assert parse_line(dump_line(hit), NOW) == hit
    assert hit.article.url.startswith(("http://", "https://"))
    assert hit.first_seen_at <= hit.fetched_at <= NOW + timedelta(hours=24)


@settings(max_examples=150)
@given(data=st.data())
def test_odd_values_in_a_line(data):
    """Values of other types, texts from other scripts, missing and doubled members."""
    row = mutate_json(data.draw, ROWS)
    check(json.dumps(row, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "surrogatepass"))


@settings(max_examples=150)
@given(data=st.data())
def test_odd_bytes_in_a_line(data):
    """Bytes that are cut, doubled and replaced anywhere, for both commands."""
    line = mutate_bytes(data.draw, LINES)
    check(line)
    try:
        row, calls = count_calls(lambda: read_object(line))
    except ValueError:
        return
    assert isinstance(row, dict)
    assert calls <= CALLS + CALLS_PER_BYTE * len(line)
