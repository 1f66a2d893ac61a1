"""Any title can be read, keyed and compared: none may end the process that groups it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.search.dedup import Deduper, Headline
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.stories.keys import list_own_keys, list_wanted_keys
from newsintel.domain.search.stories.parsed_title import parse_title
from newsintel.domain.search.stories.similarity import compare_titles
from newsintel.domain.search.stories.vetoes import find_veto

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
ODD = [
    "5\ufe0fapple unveils new phone",
    "1\ufe0f5 apple unveils new phone",
    "1\ufe0f\u20e3 apple unveils new phone",
    "5\u064bapple court rules against government plan",
    "5\u0640 apple court rules against government plan",
    "7\u064e apple court rules against government plan",
    "a\u0301.b\u0301. apple court rules against government plan",
]
"""Digits and letters beside marks that folding drops."""

PIECES = st.sampled_from(
    [*"0159 .,-:/$%", "\ufe0f", "\u20e3", "\u064b", "\u064e", "\u0640", "\u0301", "\u200d"]
    + ["\u0e31", "\u094d", "\u05b8", "\u2764", "a", "B", "US", "am", "st", "東", "가", "é", "May "]
)


def read_all(one, other):
    """Do with two titles everything that a search and the archive do."""
    titles = [parse_title(one), parse_title(other)]
    for title in titles:
        assert "" not in title.weights
        list_own_keys(title, NOON)
        list_wanted_keys(title, NOON)
    compare_titles(*titles)
    find_veto(*titles)
    deduper = Deduper(Dedupe.NORMAL)
    for title in (one, other):
        deduper.add(Headline(title), None)


@pytest.mark.parametrize("title", ODD)
def test_marks_behind_a_digit_are_no_word(title):
    """With itself, and with a title that shares its words."""
    read_all(title, f"{title} today")


@given(st.lists(PIECES, max_size=20).map("".join), st.lists(PIECES, max_size=20).map("".join))
def test_any_mixture_of_digits_marks_and_letters_is_read(one, other):
    """With words that make both titles similar."""
    read_all(f"{one} apple unveils new phone", f"{other} apple unveils new phone")
