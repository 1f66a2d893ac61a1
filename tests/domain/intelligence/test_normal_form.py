"""The normal form of a search: equal for equal meanings, and itself a query with that meaning.

It shows no person's own spelling.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.intelligence.normal_form import MAX_BYTES, write_normal_form
from newsintel.domain.search.query import build_query
from newsintel.domain.text.grammar import fold_case
from newsintel.errors import InvalidParameterError


def form(q):
    """The normal form of a query as typed."""
    return write_normal_form(build_query(q, sources=()).clauses)


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("Climate  CHANGE", "climate change"),
        ("climate AND change", "climate change"),
        ("climate climate change", "climate change"),
        ("ｆｌｏｏｄ", "flood"),
        ("Flood or tide", "flood or tide"),
        ("Flood OR Tide", "flood OR tide"),
        ("flood OR OR Flood", "flood"),
        ('"Climate Change" -Sport', '"climate change" -sport'),
        ('"Flood"', "flood"),
        ('-"Real Madrid" football', 'football -"real madrid"'),
        ('"-dash"', '"-dash"'),
        ("node.js", "node.js"),
        (
            "(Flood OR storm) -(rain snow)",
            "flood -rain OR flood -snow OR storm -rain OR storm -snow",
        ),
        ("Straße CO₂ „Real Madrid“", 'strasse co2 "real madrid"'),
        ('"(a" "b)" ⑴', '"(a" "b)" "(1)"'),
        ('"NOT" "–x" "‘n"', '"not" "–x" "‘n"'),
        ('צה"ל', 'צה"ל'),
        ("‘ ‘n’", '"n"'),
    ],
)
def test_normal_form_of_a_query(typed, normal):
    """Words are folded and occur once. Exclusions come last. Quotes stay only if they matter."""
    assert form(typed) == normal


@given(
    st.lists(
        st.sampled_from(
            [
                "Flood",
                "tide",
                '"climate change"',
                '"',
                "-",
                "–x",
                '-"a b"',
                "OR",
                "or",
                "AND",
                '"-q',
                "É",
                "ß",
                "a:b",
                "'",
            ]
            + [
                "(",
                ")",
                "NOT",
                "«",
                "”",
                "f(x)",
                '"(',
                "‘n’",
                "‘",
                "’",
                "⑴",
                'דו"ח',
                ":)",
                "Ｏ",
                "ﬁ",
            ]
        )
    )
)
def test_a_normal_form_is_a_query_with_the_same_meaning(parts):
    """Searching for the form that is shown is the search that was counted.

    Its own form is itself.
    """
    try:
        asked = build_query(" ".join(parts), sources=())
    except InvalidParameterError:
        return
    normal = write_normal_form(asked.clauses)
    if normal is None:
        return
    again = build_query(normal, sources=())
    assert write_normal_form(again.clauses) == normal
    assert [folded(one) for one in again.clauses] == [folded(one) for one in asked.clauses]


def folded(clause):
    """The folded terms of a clause, as they are compared."""
    return [[fold_case(term.text) for term in terms] for terms in (clause.wanted, clause.unwanted)]


def test_a_very_long_query_is_not_counted():
    """No other person types it, no index has room for it, and it cannot be searched for again."""
    assert form("ß" * 128) == "ss" * 128
    assert form("ß" * 129) is None
    assert form("漢" * 170).encode() == ("漢" * 170).encode()
    assert form("漢" * 171) is None
    assert MAX_BYTES == 512
