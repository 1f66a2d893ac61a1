"""What text cleaning removes and keeps. Hostile text costs no more than usual text."""

import sys
import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.text.clean import (
    _INVISIBLE,
    _MOST_MARKS,
    fold,
    limit_marks,
    remove_invisible,
    to_plain_text,
)
from newsintel.domain.text.joiners import remove_stray_joiners
from newsintel.domain.text.markup import read_html, read_snippet

ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=200) | st.text(
    st.sampled_from(
        "a é\u0301ب\u064bह्\u200c\u200d\ufe0f\U0001f468\U0001f3f4\U000e0067\U000e007f\u3164"
    ),
    max_size=80,
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a < b", "a < b"),
        ("<b>bold</b> &amp; <script>", "<b>bold</b> &amp; <script>"),
        ("one\r\ntwo\u2028three\u00a0four\x85five", "one two three four five"),
        ("nul\x00, half \ud83d, escape \x1b[0m", "nul, half , escape [0m"),
        ("\u202eright\u2066 \u200bzero\ufeff width\u00ad", "right zero width"),
        ("cafe\u0301", "café"),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467 a\u200db",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467 ab",
        ),
        ("مرحبا بالعالم", "مرحبا بالعالم"),
    ],
)
def test_plain_removes_invisible_characters_and_keeps_the_text(raw: str, expected: str) -> None:
    """Tags and entities in plain text stay."""
    assert to_plain_text(raw, 300) == expected


@pytest.mark.parametrize("raw", ["", " \r\n", "\u200b\u202e", "\u200c\u200d\ufe0f", "\x00"])
def test_plain_of_an_empty_text_is_none(raw: str) -> None:
    """If cleaning leaves no characters, the result is None and not an empty string."""
    assert to_plain_text(raw, 300) is None


def test_plain_cuts_on_code_points() -> None:
    """A long text is cut to the limit and marked with an ellipsis.

    It is never cut inside a joined emoji or after a space.
    """
    assert to_plain_text("abcdef", 6) == "abcdef"
    assert to_plain_text("abcdefg", 6) == "abcde…"
    assert to_plain_text("abcd efgh", 6) == "abcd…"
    assert to_plain_text("abc\U0001f468\u200d\U0001f469xyz", 6) == "abc\U0001f468…"
    assert len(to_plain_text("x" * 10_000, 300) or "") == 300


@given(ANY_TEXT, st.integers(1, 50))
def test_plain_gives_one_bounded_nfc_line(raw: str, max_chars: int) -> None:
    """For any input, the output is one line in NFC within the limit that any database accepts."""
    text = to_plain_text(raw, max_chars)
    if text is not None:
        assert 0 < len(text) <= max_chars
        text.encode("utf-8")
        assert text == " ".join(text.split())
        assert unicodedata.is_normalized("NFC", text)
        assert remove_invisible(text) == text


@pytest.mark.slow
def test_every_invisible_character_is_found() -> None:
    """The quick look finds exactly what the removal would change, in every plane."""
    for char in map(chr, range(sys.maxunicode + 1)):
        text = f"a{char}b"
        removed = remove_stray_joiners(_INVISIBLE.sub(r"\1", text))
        assert remove_invisible(text) == removed, hex(ord(char))


@given(ANY_TEXT)
def test_a_text_with_nothing_to_remove_is_recognised(text: str) -> None:
    """The result is that of the removal without a look at the text first."""
    assert remove_invisible(text) == remove_stray_joiners(_INVISIBLE.sub(r"\1", text))


@pytest.mark.parametrize("length", [_MOST_MARKS, _MOST_MARKS + 1, _MOST_MARKS + 2, 70])
@pytest.mark.parametrize("mark", ["\u0301", "\u0f73", "\U0001d165"])
def test_marks_are_limited_wherever_they_are(mark: str, length: int) -> None:
    """A run is cut to its first thirty marks, and no other text is cut."""
    for start in range(3 * _MOST_MARKS):
        before, after = "x" * start, "y\u0f71\U00011f00"
        kept = before + mark * min(length, _MOST_MARKS) + after
        assert limit_marks(before + mark * length + after) == kept


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "<a ",
        '<a "',
        '<a "x" ',
        "<script>",
        "<!--",
        "&amp;",
        "&",
        "a\u0301\u0316",
        "\u0301\u0316",
        "</",
        "<a-",
        "<a '\"",
        "&#1",
        "<a =",
        "ب\u200c",
        "क़्\u200cष",
        "\u0301\u200d",
        "a\ufe0f",
        "word ",
    ],
)
@pytest.mark.parametrize("read", [None, read_html, read_snippet])
def test_plain_is_linear(unit: str, read: Callable[[str], str] | None) -> None:
    """A megabyte of the worst repetition takes less than five seconds.

    Quadratic work would take minutes.
    """
    raw = unit * (1_000_000 // len(unit))
    begun = time.process_time()
    to_plain_text(raw, 50_000, read)
    assert time.process_time() - begun < 5


def test_fold_ignores_case_width_and_runs_of_spaces() -> None:
    """`fold` gives the form in which texts are compared."""
    assert fold("  \uff26ull\u00a0 WIDTH  Straße ") == "full width strasse"
