"""A text scores by the share of terms it has, how early the first is, and how close they are."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.search.matching import Alternative, PreparedQuery, build_runs, prepare_text
from newsintel.domain.search.query_model import Clause, Term
from newsintel.domain.search.text_scores import (
    ANYWHERE,
    CLOSE,
    EARLY,
    MAX_PLACES,
    measure_closeness,
    score_text,
)

_words = st.lists(st.sampled_from(["fed", "rates", "hold", "bank", "café", "cafe"]), max_size=9)


def score(text, *terms, language="en"):
    """How well a text answers terms that it must all have."""
    wanted = build_runs([Term(term, phrase=" " in term) for term in terms], language)
    return score_text(prepare_text(text, language), [Alternative(wanted, ())])


@pytest.mark.parametrize(
    ("text", "terms", "expected"),
    [
        ("Fed holds rates", ["fed"], 1.0),
        ("Fed’s rates", ["fed"], 1.0),
        ("The U.S. Fed holds", ["fed"], ANYWHERE + EARLY * 3 / 5 + CLOSE),
        ("Why did the Fed hold", ["fed"], ANYWHERE + EARLY / 2 + CLOSE),
        ("Fed rates", ["fed", "rates"], 1.0),
        ("Rates: Fed", ["fed", "rates"], 1.0),
        ("Fed holds rates", ["fed", "rates"], ANYWHERE + EARLY + CLOSE * 2 / 3),
        ("Fed holds all rates, Fed rates", ["fed", "rates"], 1.0),
        ("Fed holds", ["fed", "rates"], 1 / 2),
        ("Rates of the Fed", ["rates of", "fed"], ANYWHERE + EARLY + CLOSE * 3 / 4),
        ("New New York", ["new", "new york"], 1.0),
        ("Café", ["cafe"], 0.9),
        ("Bank", ["fed"], 0.0),
        ("", ["fed"], 0.0),
        ("東京で地震", ["地震"], ANYWHERE + EARLY * 3 / 6 + CLOSE),
        ("地震が東京で", ["地震"], 1.0),
    ],
)
def test_worked_examples(text, terms, expected):
    """Computed by hand from the formula in the module."""
    assert score(text, *terms) == pytest.approx(expected)


def test_the_best_alternative_counts():
    """None gives 0."""
    text = prepare_text("Bank holds rates", "en")
    asked = PreparedQuery((Clause((Term("fed"),)), Clause((Term("bank"),))))
    assert score_text(text, asked.get_alternatives("en")) == 1.0
    assert score_text(text, []) == 0.0


@given(_words, st.lists(st.sampled_from(["fed", "rates", "hold", "cafe"]), min_size=1, max_size=4))
def test_a_score_is_between_zero_and_one_and_says_whether_a_term_is_found(words, terms):
    """By the same rule as matching: any form of the word."""
    found = score(" ".join(words), *terms)
    prepared = prepare_text(" ".join(words), "en")
    assert 0 <= found <= 1 + 1e-9
    runs = build_runs(map(Term, terms), "en")
    assert (found > 0) == any(prepared.match_run(run) for run in runs)


@given(_words, st.sampled_from(["fed", "rates"]))
def test_words_before_a_match_never_raise_its_score(words, term):
    """A text that begins later with the same words scores no more."""
    text = " ".join(words)
    assert score(f"bank {text}", term) <= score(text, term) + 1e-9


@given(
    st.lists(
        st.lists(st.integers(0, 30), min_size=1, max_size=4, unique=True).map(sorted),
        min_size=2,
        max_size=4,
    ),
    st.lists(st.integers(1, 3), min_size=4, max_size=4),
)
def test_closeness_is_that_of_the_shortest_stretch(places, lengths):
    """Compared with trying every choice of places."""
    lengths = lengths[: len(places)]
    shortest = min(
        max(place + length for place, length in zip(some, lengths, strict=True)) - min(some)
        for some in product(*places)
    )
    expected = min(1.0, sum(lengths) / shortest)
    assert measure_closeness(places, lengths) == pytest.approx(expected)


def test_a_word_repeated_a_thousand_times_is_looked_at_a_few_times():
    """From the start; so the work for one text is bounded."""
    text = prepare_text("fed " * 1000, "en")
    run = build_runs([Term("fed")], "en")[0]
    assert text.list_places(run, MAX_PLACES) == list(range(MAX_PLACES))
    assert text.find_run(run) == 0
