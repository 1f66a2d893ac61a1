"""Text cleaning: what goes, what stays, and that hostile text costs no more than honest text."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.text import fold, plain, visible, words

ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=200)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a < b", "a < b"),
        ("x<y and y>z", "x<y and y>z"),
        ("AT&T", "AT&T"),
        ("rock&regret", "rock&regret"),
        ("I <3 you", "I <3 you"),
        ("see --> there", "see --> there"),
        ("<i>see</i> --> there", "see --> there"),
        ("&" + "amp;" * 5 + "lt;", "&amp;lt;"),
        ("Fish &amp; chips", "Fish & chips"),
        ("It&amp;#8217;s", "It\u2019s"),
        ("&#x80;5", "€5"),
        ("<p>One</p><p>two</p>", "One two"),
        ("<b>M</b>onday", "Monday"),
        ("line<br/>break", "line break"),
        ("&lt;p&gt;Escaped&lt;/p&gt; twice", "Escaped twice"),
        ("<gu-atom data-x='1'>quiz</gu-atom> <o:p>x</o:p>", "quiz x"),
        ("<a title='x>y' href=\"z\">quoted</a>", "quoted"),
        ('<a href=x">unpaired</a>', "unpaired"),
        ("<!DOCTYPE html><script>if (a<b) x</script>kept<style>p{}</style>", "kept"),
        ("a<!-- hidden <b>too</b> -->b", "a b"),
        ("before<script>never closed", "before"),
        ("one\r\ntwo\u2028three\u00a0four\x85five", "one two three four five"),
        ("nul\x00, half \ud83d, escape \x1b[0m", "nul, half , escape [0m"),
        ("\u202eright\u2066 \u200bzero\ufeff width\u00ad", "right zero width"),
        ("<scr\u200bipt>alert(1)</script>x", "x"),
        ("&#8203;&#0;a", "\ufffda"),
        ("cafe\u0301", "café"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467 a\u200db", "\U0001f468\u200d\U0001f469\u200d\U0001f467 ab"),
        ("مرحبا بالعالم", "مرحبا بالعالم"),
    ],
)
def test_plain(raw: str, expected: str) -> None:
    """Markup, entities and invisible characters go; what people wrote stays."""
    assert plain(raw, 300) == expected


@pytest.mark.parametrize("raw", ["", " \r\n", "<p></p>", "\u200b\u202e", "<!-- only -->", "\x00"])
def test_plain_of_nothing(raw: str) -> None:
    """A text in which nothing is left is None, not an empty string."""
    assert plain(raw, 300) is None


def test_plain_cuts_on_code_points() -> None:
    """A long text is cut to the limit, marked, and not in the middle of a joined emoji or behind a space."""
    assert plain("abcdef", 6) == "abcdef"
    assert plain("abcdefg", 6) == "abcde…"
    assert plain("abcd efgh", 6) == "abcd…"
    assert plain("abc\U0001f468\u200d\U0001f469xyz", 6) == "abc\U0001f468…"
    assert len(plain("x" * 10_000, 300) or "") == 300


@given(ANY_TEXT, st.integers(1, 50))
def test_plain_always_keeps_its_promises(raw: str, max_chars: int) -> None:
    """Whatever comes in, what goes out is one bounded NFC line that any database takes."""
    text = plain(raw, max_chars)
    if text is not None:
        assert 0 < len(text) <= max_chars
        text.encode("utf-8")
        assert text == " ".join(text.split())
        assert unicodedata.is_normalized("NFC", text)
        assert visible(text.replace("\u200d", "")) == text.replace("\u200d", "")


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
        "word ",
    ],
)
def test_plain_is_linear(unit: str) -> None:
    """A megabyte of the nastiest repetition is cleaned in the blink of an eye; quadratic work would take minutes."""
    raw = unit * (1_000_000 // len(unit))
    begun = time.process_time()
    plain(raw, 50_000)
    assert time.process_time() - begun < 5


def test_fold() -> None:
    """The comparison form ignores case, width and runs of spaces."""
    assert fold("  \uff26ull\u00a0 WIDTH  Straße ") == "full width strasse"


def test_words() -> None:
    """Words keep inner apostrophes and the marks of Indic scripts, and leave punctuation behind."""
    assert words("Don\u2019t PANIC: 'ok' — 3.5%_x") == ("don't", "panic", "ok", "3", "5", "x")
    assert words("नमस्ते दुनिया") == ("नमस्ते", "दुनिया")
    assert words("…") == ()
