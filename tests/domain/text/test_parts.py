"""Long texts are cut at spaces."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.text.parts import cut_at_spaces

WITH_SPACES = st.text("ab ", max_size=400)
WITHOUT = st.text("\u5730\u9707", max_size=400)
SIZES = st.integers(1, 20)


@given(WITH_SPACES | WITHOUT, SIZES)
def test_without_an_overlap_the_parts_are_the_text(text, part_chars):
    """No part is longer than the limit. A word is cut only if it is longer than a part."""
    parts = list(cut_at_spaces(text, part_chars))
    assert "".join(parts) == text
    assert max(map(len, parts)) <= part_chars
    for part, following in pairwise(parts):
        assert following.startswith(" ") or " " not in part[1:]


@given(WITH_SPACES | WITHOUT, SIZES, SIZES, st.data())
def test_a_passage_that_fits_the_overlap_is_whole_in_one_part(
    text, part_chars, overlap_chars, data
):
    """With or without spaces, if the passage does not end inside a word."""
    parts = list(cut_at_spaces(text, part_chars, overlap_chars))
    assert max(map(len, parts)) <= part_chars + overlap_chars
    start = data.draw(st.integers(0, len(text)))
    end = min(len(text), start + data.draw(st.integers(0, overlap_chars)))
    if end == len(text) or text[end] == " ":
        assert any(text[start:end] in part for part in parts)
