"""A passage shows where a text matches a query, and marks only what matched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.archive.passages import MAX_TEXT_CHARS, MAX_WORDS, WORDS_BEFORE, find_passage
from newsintel.domain.search.matching import build_run, build_runs
from newsintel.domain.search.query_model import Term
from newsintel.domain.text import tokens as tokens_module
from newsintel.domain.text.lexemes import make_lexeme
from newsintel.domain.text.tokens import split_words
from tests.steps import ALLOWED, LONGEST_MS, longest_slice
from tests.whole import passage

TEXTS = st.lists(
    st.sampled_from([*"ab", "cat", "Cats", "Café", "東京で地震", "地震", "ﬁ", ".", "—", "dog’s"]),
    max_size=60,
).map(" ".join)
TYPED = st.lists(
    st.sampled_from(["cat", "cafe", "a b", "地震", "地", "東京で", "fi", "dog"]),
    min_size=1,
    max_size=4,
)


def shown(text, *typed, language="en"):
    """A passage with its marks in brackets."""
    found = passage(text, build_runs(map(Term, typed), language), language)
    if found is None:
        return None
    marked = found.text
    for low, high in reversed(found.highlights):
        marked = f"{marked[:low]}[{marked[low:high]}]{marked[high:]}"
    return marked


@pytest.mark.parametrize(
    ("text", "typed", "expected"),
    [
        ("The Cats’ elections.", ["cat", "election"], "The [Cats]’ [elections]"),
        ("東京で強い地震、津波", ["地震", "津波"], "東京で強い[地震]、[津波]"),
        ("東京で強い地震", ["強い地震"], "東京で[強い地震]"),
        ("東京で強い地震", ["震"], "京で強い地[震]"),
        ("東京で強い地震", ["強"], "東京で[強い]地震"),
        ("El Niño and el Nino", ["el nino"], "[El Niño] and [el Nino]"),
        ("“Hormuz”—closed", ["hormuz"], "[Hormuz]”—closed"),
        ("climate change, climate", ["climate change"], "[climate change], climate"),
        ("½ of it", ["1"], "[½] of it"),
        ("nothing here", ["cat"], None),
        ("a cat", ["cat dog"], None),
    ],
)
def test_the_matches_are_marked(text, typed, expected):
    """Words match by their stems. Phrases and neighbouring letters have one mark.

    A single letter marks the pair that it begins.
    """
    assert shown(text, *typed) == expected


def test_a_passage_is_taken_where_most_terms_occur():
    """Of equal places the first is taken, with some words before it.

    Text beyond the limit is not searched.
    """
    filler = "x " * 100
    assert shown(f"cat {filler}cat dog {filler}", "cat", "dog").startswith(
        "x " * WORDS_BEFORE + "[cat] [dog]"
    )
    assert shown(f"{filler}cat {filler}cat", "cat").count("[") == 1
    assert shown("x " * (MAX_TEXT_CHARS // 2) + "cat", "cat") is None


@given(TEXTS, TYPED)
def test_marks_are_ordered_within_the_passage_and_match_a_term(text, typed):
    """They do not touch, and the passage has a limited number of words.

    Each mark has one of the runs, or several that overlap.
    """
    wanted = build_runs(map(Term, typed), "en")
    found = passage(text, wanted, "en")
    if found is None:
        return
    assert found.text in text
    assert len(list(split_words(found.text))) <= MAX_WORDS + 1
    ends = [place for mark in found.highlights for place in mark]
    assert ends == sorted(set(ends))
    assert 0 <= ends[0] < ends[-1] <= len(found.text)
    for low, high in found.highlights:
        having = [make_lexeme(token.word, "en") for token in split_words(found.text[low:high])]
        assert any(one.startswith(run.lexemes[0]) for one in having for run in wanted)


def test_a_run_does_not_match_beyond_the_end_of_a_text():
    """Its first word alone is not a match."""
    assert passage("a b", [build_run("b c", "")], "") is None
    assert passage("", [build_run("b", "")], "") is None


def fullest_by_hand(text, wanted):
    """The start of the best passage by the simplest rule, which compares every passage."""
    found = [make_lexeme(token.word, "en") for token in split_words(text)]
    starts = {
        (place, (*one.lexemes, one.prefix))  # a run that is asked for twice counts once
        for one in wanted
        for place in range(len(found) - len(one.lexemes) + 1)
        if found[place : place + len(one.lexemes) - 1] == [*one.lexemes[:-1]]
        and (
            found[place + len(one.lexemes) - 1].startswith
            if one.prefix
            else found[place + len(one.lexemes) - 1].__eq__
        )(one.lexemes[-1])
    }
    most = {
        begin: len({run for place, run in starts if begin <= place < begin + MAX_WORDS})
        for begin, _ in starts
    }
    return min(most, key=lambda begin: (-most[begin], begin)) if most else None


@given(st.lists(TEXTS, max_size=6).map(" x".join), TYPED)
def test_a_passage_has_the_largest_number_of_terms(text, typed):
    """Compared with the simplest way to find it."""
    wanted = build_runs(map(Term, typed), "en")
    begin, found = fullest_by_hand(text, wanted), passage(text, wanted, "en")
    if begin is None:
        assert found is None
    else:
        words = list(split_words(text))
        first = max(0, begin - WORDS_BEFORE)
        assert (
            found.text
            == text[words[first].start : max(word.end for word in words[first : first + MAX_WORDS])]
        )


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("a " * MAX_TEXT_CHARS, ["a"]),
        ("a " * MAX_TEXT_CHARS, ["a " * length for length in range(1, 16)]),
        ("가" * MAX_TEXT_CHARS, ["가" * 256]),
        ("가" * MAX_TEXT_CHARS, ["가" * length for length in range(1, 22)]),
        ("spam " * MAX_TEXT_CHARS, ["spam", "spams", "spammed", "spamming", "spam’s"]),
        ("a b " * MAX_TEXT_CHARS, [f"{one} b" for one in "a" * 60]),
        (
            "".join(chr(0x4E00 + number) for number in range(MAX_TEXT_CHARS)),
            [chr(0x4E00 + number) for number in range(128)],
        ),
        ("a'" * MAX_TEXT_CHARS, ["'".join("a" * 128)]),
    ],
)
def test_hostile_texts_are_searched_in_slices(text, typed):
    """Anybody may post a text that repeats itself. Such a text once took a second and a half."""
    wanted = build_runs(map(Term, typed), "en")

    def make():
        for memo in (tokens_module._exact, tokens_module._plain):
            memo.clear()
        return find_passage(text, wanted, "en")

    longest_ms, found = longest_slice(make)
    assert found is not None
    assert longest_ms < ALLOWED * LONGEST_MS, f"{longest_ms:.1f} ms"
