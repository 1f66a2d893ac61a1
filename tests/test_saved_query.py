"""A search of saved articles: the one grammar, and the same in PostgreSQL's language."""

import pytest

from newsintel.archive_model import Condition, Field
from newsintel.errors import InvalidParameterError
from newsintel.saved_query import build, in_websearch


def words(*texts, no=()):
    """Conditions on words anywhere."""
    return (*(Condition(Field.ANY, one, " " in one) for one in texts), *(Condition(Field.ANY, one, " " in one, negated=True) for one in no))


@pytest.mark.parametrize(
    ("q", "alternatives", "websearch"),
    [
        ("Flood –“a b”", [words("Flood", no=["a b"])], 'Flood -"a b"'),
        ("(a OR b) c", [words("a", "c"), words("b", "c")], "a c OR b c"),
        ("NOT (a b)", [words(no=["a"]), words(no=["b"])], "-a OR -b"),
        ("a or b", [words("a", "or", "b")], 'a "or" b'),
        ("a Or ＯＲ b", [words("a", "Or"), words("b")], 'a "Or" OR b'),
        ("title:a before:b", [words("title:a", "before:b")], "title:a before:b"),
        ('צה"ל', [words('צה"ל')], '"צה ל"'),
        ('"NOT" "–x"', [words("NOT", "–x")], '"NOT" "–x"'),
    ],
)
def test_saved_articles_are_searched_by_the_one_grammar(q, alternatives, websearch):
    """Without fields; exclusions alone will do; `or` is a word."""
    found = build(q)
    assert [*found] == alternatives
    assert in_websearch(found) == websearch


@pytest.mark.parametrize(
    ("q", "code"),
    [
        (" ", "blank"),
        ("OR ()", "no_words"),
        ("a" * 257, "too_long"),
        ("(a OR b) (c OR d) (e OR f) (g OR h) (i OR j) (k OR l)", "too_complex"),
    ],
)
def test_refusals(q, code):
    """By name."""
    with pytest.raises(InvalidParameterError) as caught:
        build(q)
    assert (caught.value.field, caught.value.code) == ("q", code)
