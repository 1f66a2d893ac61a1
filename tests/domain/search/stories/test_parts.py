"""A title that is read part by part says what it says as a whole."""

import csv
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsintel.domain.search.stories import parts, tokens
from newsintel.domain.search.stories.parts import read_title
from newsintel.domain.search.stories.reading import read_title_tokens
from newsintel.domain.search.stories.tokens import Kind, join_tokens
from newsintel.domain.search.stories.vocabulary import is_rubric, load_vocabulary
from tests.shared import SHARED, needs_shared
from tests.values import unhurried

_PARTS = (
    *("5", "5.", "5:30", "$5m", "12th", "2-1", "2014", "5/2/24", "1,200", "٥", "eight", "Two"),
    *("p.m.", "pm", "am", "pm's", "pm'x", "a.m", "PM", "million", "bn", "m", "people", "about"),
    *("May", "may", "March,", "Sunday", "sunday", "Feb.", "2024年", "5月", "2日", "mayo"),
    *("Hong", "Kong", "hong", "White", "House", "World-Cup", "World", "Cup", "South", "Africa"),
    *("US", "us", "U.S.", "Obama's", "rebels", "—", "-", ":", "❤️", "東京で地震", "Москве", "взрыв"),
    *(
        "der",
        "und",
        "les",
        "pour",
        "el",
        "para",
        "news",
        "today",
        "in",
        "brief",
        "what",
        "we",
        "know",
    ),
    *("Ueberschallgeschwindigkeitsflugzeug", "quake,", "(quake)", "\u0301", "1\ufe0f"),
)


def read_as_a_whole(text):
    """The definition: the expression finds the tokens of the whole text."""
    found = join_tokens(list(tokens._read(text)))
    return found, read_title_tokens(found)


def same_as_a_whole(text):
    """Compare what both ways find."""
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    found = read_title(text)
    assert (found.tokens, found.read) == read_as_a_whole(text), text
    words = [token.text for token in found.tokens if token.kind <= Kind.LISTED]
    assert found.may_be_rubric or not is_rubric(words)


@unhurried
@given(st.lists(st.sampled_from(_PARTS) | st.text(max_size=6), max_size=8).map(" ".join))
@example("eight million people")
@example("5 - pm")
@example("2024年 5月 2日")
@example("rebels 5月 2日")
@example("White — House")
@example("what we know")
def test_parts_say_what_the_whole_says(text):
    """Numbers, times, dates, phrases, rubrics, other languages and scripts, and any text."""
    same_as_a_whole(text)


def test_every_listed_phrase_is_found_across_parts():
    """With a word before and after it, and with capitals and without."""
    for phrases in load_vocabulary().phrases.values():
        for phrase in phrases:
            text = " ".join(["rebels", *phrase, "again"])
            same_as_a_whole(text)
            same_as_a_whole(text.title())


def test_a_usual_title_is_read_in_parts(monkeypatch):
    """Also with numbers that belong to no neighbour. A month is read as a whole."""
    whole = []
    monkeypatch.setattr(parts, "_read_whole", whole.append)
    read_title("Quake kills 3 people after 2014 warning, Obama's aide says")
    assert whole == []
    read_title("Quake of 5 May kills people")
    assert whole == ["Quake of 5 May kills people"]


@needs_shared
@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("uci_news_aggregator_first3000.csv", "TITLE"),
        ("abc_headlines_first21294.csv", "headline_text"),
    ],
)
def test_parts_say_what_the_whole_says_on_headlines(name, column):
    """Real headlines, with capitals and without."""
    with (SHARED / "headlines" / name).open(encoding="utf-8", newline="") as rows:
        for row in list(csv.DictReader(rows))[:3000]:
            same_as_a_whole(row[column])
