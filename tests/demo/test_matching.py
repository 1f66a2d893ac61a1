"""The query languages of the three APIs."""

import pytest

from newsintel.demo.matching import GUARDIAN, NEWSAPI, REDDIT, fold_text, parse_query

TEXT = fold_text("Scientists\u2019 neural networks <b>beat</b> the storm forecast")


@pytest.mark.parametrize(
    ("query", "newsapi", "guardian", "reddit"),
    [
        ("neural storm", True, True, True),
        ("neural zebra", False, True, False),
        ("neural AND zebra", False, False, False),
        ("neural OR zebra", True, True, True),
        ("zebra AND storm OR neural", True, True, True),
        ("zebra AND (storm OR neural)", False, False, False),
        ('"neural network"', True, True, True),
        ('"network neural"', False, False, False),
        ("neural NOT storm", False, True, False),
        ("neural AND NOT storm", False, False, False),
        ("neural -storm", False, True, False),
        ("-storm", False, True, False),
        ("neural -(storm zebra)", True, True, True),
        ("NEURAL networks", True, True, True),
        ("+neural zebra", False, True, False),
        ('"neural network', True, True, True),
        ("(neural", True, True, True),
        ("AND", False, False, False),
        (")(", False, False, False),
        ("", False, False, False),
        ("(" * 200 + "neural", False, False, False),
        ("NOT " * 500 + "neural", False, False, False),
    ],
)
def test_each_api_has_its_own_query_language(
    query: str, *, newsapi: bool, guardian: bool, reddit: bool
) -> None:
    """One query means different things to the three APIs, and none fails on an odd query."""
    found = tuple(
        parse_query(query, dialect).matches(TEXT) for dialect in (NEWSAPI, GUARDIAN, REDDIT)
    )
    assert found == (newsapi, guardian, reddit)


def test_fold_compares_words() -> None:
    """Case, apostrophes, tags and plurals do not matter; parts of words do not match."""
    assert fold_text("It\u2019s <i>CHIPS</i>, not news") == fold_text("its chip not news")
    assert not parse_query("art", REDDIT).matches(fold_text("smart party"))


def test_wanted_leaves_negations_out() -> None:
    """Relevance uses only the words that are wanted."""
    assert parse_query("chips AND (power OR energy) NOT oil", NEWSAPI).list_needles() == (
        " chip ",
        " power ",
        " energy ",
    )
