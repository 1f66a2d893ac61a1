"""Titles in tokens: words, numbers, dates and times, in any script."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsintel.domain.search.dedup import Deduper, Headline
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.stories import tokens
from newsintel.domain.search.stories.tokens import Kind, split_title
from tests.values import unhurried

_PARTS = (
    *("5", "5.", "5:30", "p.m.", "pm", "am", "5pm", "U.S.", "2024年", "5月", "2日", "2-1", "1,200"),
    *("5/2/24", "May", "Obama's", "東京で地震", "12th", "€5bn", "—", "❤️", "ع", "a.m", "million"),
)


def values_of(title, kind):
    """The texts of a title's tokens of one kind."""
    return [token.text for token in split_title(title) if token.kind is kind]


@unhurried
@given(st.lists(st.sampled_from(_PARTS) | st.text(max_size=6), max_size=8).map(" ".join))
@example("at 5 pm")
@example("2024年 5月 2日")
def test_a_title_read_in_parts_has_the_tokens_of_the_whole(text):
    """No token but a time or a date in East Asian writing goes across a space."""
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_SPANNING", tokens.re.compile(""))  # always read as a whole
        whole = split_title(text)
    assert split_title(text) == whole


@pytest.mark.parametrize("title", ["❤️", "Well my day is made ❤️", "ـ", "\u0301", "\ufe0f \ufe0f"])
def test_signs_without_a_letter_are_no_word(title):
    """A mark alone, as in an emoji, is no token, and a search with such titles ends."""
    assert all(token.stem for token in split_title(title))
    deduper = Deduper(Dedupe.NORMAL)
    for text in (title, f"{title} again", f"Strong quake hits central Italy {title}"):
        deduper.add(Headline(text), None)


@pytest.mark.parametrize(
    ("title", "times"),
    [
        ("Polls open at 7 a.m.", ["7:00"]),
        ("Polls open at 7 p.m.", ["19:00"]),
        ("Polls open at 7PM", ["19:00"]),
        ("Polls open at 7.30pm", ["19:30"]),
        ("Polls open at 12 a.m.", ["0:00"]),
        ("Polls open at 12:05 p.m.", ["12:05"]),
        ("Polls open at 7:30", ["7:30", "19:30"]),
        ("Polls open at 19:30", ["19:30"]),
        ("Polls open at 24:00", ["0:00"]),
        ("Polls open at 7", []),
    ],
)
def test_times_are_read_in_24_hours(title, times):
    """A time that says neither a.m. nor p.m. may be both."""
    assert values_of(title, Kind.TIME) == times


@pytest.mark.parametrize(
    ("title", "kind", "texts"),
    [
        ("U.S. Senate", Kind.WORD, ["us", "senate"]),
        ("Ministers meet on Monday", Kind.WEEKDAY, ["d1"]),
        ("周一开会", Kind.WEEKDAY, ["d1"]),
        ("2024-05-01", Kind.DATE, ["24-1-5"]),
        ("2024年5月2日", Kind.DATE, ["2024-5-2"]),
        ("5.2 million", Kind.NUMBER, ["5200000"]),
        ("5km run", Kind.NUMBER, ["5"]),
        ("May 5th and 6 June", Kind.DATE, ["5-5", "6-6"]),
        ("in December", Kind.DATE, ["m12"]),
        ("Theresa May", Kind.DATE, []),
        ("地", Kind.PAIR, ["地"]),
    ],
)
def test_values_are_read_in_one_form(title, kind, texts):
    """Whatever their spelling."""
    assert values_of(title, kind) == texts
