"""Anchors: what a matching article must have, and which of it is the rarest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.alerts.anchors import MOST_REQUIRED, choose_anchors, list_groups
from newsintel.domain.archive.query import build_archive_query
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.text.languages import INDEX_LANGUAGES
from newsintel.errors import InvalidParameterError


def groups(q, **filters):
    """The groups of a query."""
    return run_all(list_groups(build_archive_query(q, **filters)))


def test_words_have_a_group_in_each_language():
    """As each text is indexed by the rules of its language; function words are left out there."""
    found = groups("die Wahlen")
    assert len(found) == len(INDEX_LANGUAGES)
    assert ("lde:wahl",) in found
    assert ("len:die", "len:wahlen") in found
    assert ("ldie", "lwahlen") in found


def test_each_alternative_has_its_groups():
    """Terms without a language's rules are the same in all of them, and are there once."""
    assert groups("地震 OR 5G") == (("l地震",), ("l5g",))


def test_one_letter_of_a_script_without_spaces_is_a_beginning():
    """It matches every word that begins with it."""
    assert groups("水") == (("b水",),)
    assert groups("地震 水") == (("l地震", "b水"),)


def test_a_phrase_needs_all_its_words():
    """Also those of its function words that count."""
    assert ("len:the", "len:who") in groups('"The Who"')


@pytest.mark.parametrize(
    ("q", "filters", "expected"),
    [
        ('author:"Jo Tan"', {}, (("lby:jo", "lby:tan"),)),
        ("author:tan -storm", {}, (("lby:tan",),)),
        ('publisher:"Le Monde" -storm', {}, (("ple monde",),)),
        ("source:reddit", {}, (("sreddit",),)),
        ("source:reddit publisher:bbc", {"publisher": "Sky"}, (("pbbc", "psky"),)),
        ("-storm", {"publisher": "L’Équipe"}, (("pl equipe",),)),
        ("-storm", {"sources": ("reddit", "guardian")}, (("sreddit",), ("sguardian",))),
        (None, {"sources": ("reddit",)}, (("sreddit",),)),
    ],
)
def test_without_words_the_author_publisher_or_source_counts(q, filters, expected):
    """In this order."""
    assert groups(q, **filters) == expected


@pytest.mark.parametrize(
    ("q", "words"),
    [
        ("-storm", "only excludes"),
        ("storm OR -flood", "each alternative"),
        ("NOT (storm OR flood)", "only excludes"),
        ("-source:reddit", "only excludes"),
        (None, "a word to look for"),
    ],
)
def test_what_matches_nearly_everything_has_no_anchor(q, words):
    """It is refused with the reason."""
    with pytest.raises(InvalidParameterError, match=words) as refused:
        groups(q)
    assert (refused.value.field, refused.value.code) == ("q", "too_broad")


def test_a_language_alone_is_no_anchor():
    """Nearly all articles may be in it."""
    with pytest.raises(InvalidParameterError):
        groups("-storm", language="en")


def test_the_rarest_anchor_is_chosen():
    """Unknown words are the rarest; of equals, the longest; a beginning is the last resort."""
    counts = {"a": 5, "b": 2}
    assert choose_anchors([("la", "lb")], counts) == {"lb": {"la"}}
    assert choose_anchors([("la", "lnew")], counts) == {"lnew": {"la"}}
    assert choose_anchors([("lxx", "lxxx")], counts) == {"lxxx": {"lxx"}}
    assert choose_anchors([("bx", "la")], counts) == {"la": {"bx"}}


def test_an_anchor_of_two_groups_requires_what_both_do():
    """Otherwise the matches of one of them would be lost."""
    two = [("lx", "la", "lb"), ("lx", "lb", "lc")]
    assert choose_anchors(two, {"a": 9, "b": 9, "c": 9}) == {"lx": {"lb"}}


TERMS = st.sampled_from(["a", "b", "c", "d", "e", "f", "g"])


@given(st.lists(st.lists(TERMS, min_size=1, unique=True), min_size=1), st.sets(TERMS))
def test_an_article_that_has_a_group_is_found(wanted, words):
    """By one of its own anchors, whose requirements it meets."""
    made = [tuple(f"l{term}" for term in group) for group in wanted]
    own = {f"l{word}" for word in words}
    chosen = choose_anchors(made, {"a": 1, "b": 2, "c": 3})
    assert all(len(required) <= MOST_REQUIRED for required in chosen.values())
    if any(own.issuperset(group) for group in made):
        assert any(anchor in own and required <= own for anchor, required in chosen.items())
