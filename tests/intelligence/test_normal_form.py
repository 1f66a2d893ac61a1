"""The normal form of a search: the same for what means the same, itself a search for the same, and nobody's own spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.errors import InvalidParameterError
from newsintel.intelligence.normal_form import MAX_BYTES, normal_form
from newsintel.query import build


def form(q):
    """The normal form of a text as typed."""
    return normal_form(build(q, sources=()).clauses)


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
    ],
)
def test_forms(typed, normal):
    """Words folded and once each, exclusions last, quotes only where they mean something."""
    assert form(typed) == normal


@given(
    st.lists(
        st.sampled_from(["Flood", "tide", '"climate change"', '"', "-", "-x", '-"a b"', "OR", "or", "AND", '"-q', "É", "ß", "a:b", "'"])
    )
)
def test_a_form_is_its_own_form_and_finds_the_same(parts):
    """Whatever was typed: asking for what is shown asks for what was counted."""
    try:
        asked = build(" ".join(parts), sources=())
    except InvalidParameterError:
        return
    again = build(normal_form(asked.clauses), sources=())
    assert normal_form(again.clauses) == normal_form(asked.clauses)
    for one, other in zip(dict.fromkeys(asked.clauses), again.clauses, strict=True):
        assert (one.wanted, one.unwanted) == (other.wanted, other.unwanted)


def test_a_very_long_one_is_not_counted():
    """Nobody else types it, and it would not fit into an index."""
    assert len(form("ß" * 250)) == 500
    assert form("ß" * 256) == "ss" * 256
    assert form("漢" * 170).encode() == ("漢" * 170).encode()
    assert form("漢" * 171) is None
    assert MAX_BYTES == 512
