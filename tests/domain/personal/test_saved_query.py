"""A search of saved articles uses the common grammar without fields.

Function words alone are refused.
"""

import pytest

from newsintel.domain.personal.saved_query import parse_saved_query
from newsintel.domain.search.query_model import Clause, Term
from newsintel.errors import InvalidParameterError


def words(*texts, no=()):
    """An alternative. A text with a space is a phrase."""
    wanted, unwanted = (tuple(Term(one, " " in one) for one in some) for some in (texts, no))
    return Clause(wanted, unwanted)


@pytest.mark.parametrize(
    ("q", "alternatives"),
    [
        ("Flood –“a b”", [words("Flood", no=["a b"])]),
        ("(x OR y) z", [words("x", "z"), words("y", "z")]),
        ("NOT (x y)", [words(no=["x"]), words(no=["y"])]),
        ("x or y", [words("x", "or", "y")]),
        ("x Or ＯＲ y", [words("x", "Or"), words("y")]),
        ("title:x before:y", [words("title:x", "before:y")]),
        ('צה"ל', [words('צה"ל')]),
        ('"NOT" "–x"', [Clause((Term("NOT", phrase=True), Term("–x")))]),
        ('"it"', [Clause((Term("it", phrase=True),))]),
        ("the OR flood", [words("flood")]),
        ("The Who", [words("The", "Who")]),
        ("IT", [words("IT")]),
        ('"the who"', [words("the who")]),
    ],
)
def test_saved_articles_are_searched_by_the_common_grammar(q, alternatives):
    """It has no fields, and exclusions alone are a query. `or` is a word.

    An alternative of function words in lower case is left out.
    """
    assert [*parse_saved_query(q)] == alternatives


@pytest.mark.parametrize(
    ("q", "code"),
    [
        (" ", "blank"),
        ("OR ()", "no_words"),
        ("™ 🚨", "no_words"),
        ("a" * 257, "too_long"),
        ("(a OR b) (c OR d) (e OR f) (g OR h) (i OR j) (k OR l)", "too_complex"),
        ("the", "only_stop_words"),
        ("of the OR who -cat", "only_stop_words"),
    ],
)
def test_queries_without_a_searchable_term_are_refused(q, code):
    """The refusal names q."""
    with pytest.raises(InvalidParameterError) as caught:
        parse_saved_query(q)
    assert (caught.value.field, caught.value.code) == ("q", code)
