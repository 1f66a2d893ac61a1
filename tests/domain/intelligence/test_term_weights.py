"""What makes a word telling: few have it, and it stands where a text says the most; and how little of an index need be read."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.intelligence import term_weights as module
from newsintel.domain.intelligence.term_weights import ALONE, FIELDS, INDEX_BUDGET, Word, idf, probe, telling

_lexemes = st.text("abcdef'\\é", min_size=1, max_size=4)
_counts = st.dictionaries(_lexemes, st.integers(0, 20_000), max_size=12)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_idf_is_above_zero_and_falls_with_the_articles(one, other, total):
    """Even of a word that all articles have, or more than are counted so far."""
    few, many = sorted((one, other))
    assert idf(few, total) >= idf(many, total) > 0


def test_idf_is_that_of_robertson_and_sparck_jones():
    """Within a logarithm that stays above 0."""
    assert idf(10, 1_000) == pytest.approx(log(1 + 990.5 / 10.5))


def test_the_rarest_of_the_weightiest_field_come_first():
    """A title's word before a description's that is as rare; ties by lexeme; no more than wanted."""
    words = [Word("b", "A", 5), Word("a", "A", 5), Word("c", "B", 5), Word("d", "A", 20), Word("e", "C", 5)]
    weights = telling(words, 1_000, 4, least=2)
    assert list(weights) == ["a", "b", "d", "c"]
    assert weights["c"] == pytest.approx(FIELDS["B"] * weights["a"])


def test_words_of_one_article_and_of_most_articles_tell_nothing():
    """Neither leads to another article that is like this one."""
    words = [Word("once", "D", 1), Word("twice", "D", 2), Word("tenth", "D", 100), Word("more", "D", 101)]
    assert list(telling(words, 1_000, 9, least=2)) == ["twice", "tenth"]
    assert list(telling(words, 1_000, 9, least=1)) == ["once", "twice", "tenth"]
    assert list(telling([Word("storm", "D", 15)], 16, 9, least=2)) == ["storm"], "of a young archive every word is common"


@given(_counts)
def test_a_probe_reads_little_and_has_every_known_term(articles):
    """No more of the index than its budget unless it says so; each anchor is rarer than what is no anchor."""
    found = probe(list(articles), articles)
    known = {term for term, count in articles.items() if count}
    if found is None:
        assert not known
        return
    anchors = {*found.alone, *found.anchors}
    assert anchors
    assert set(found.terms) == known
    assert found.wide == (sum(articles[term] for term in anchors) > INDEX_BUDGET)
    assert not found.wide or len(anchors) == 1
    assert max(articles[term] for term in anchors) <= min((articles[term] for term in known - anchors), default=10**9)


def test_rare_words_suffice_alone_and_so_does_the_only_one():
    """As long as few articles have any of them; others need company."""
    found = probe(["rare", "usual", "rarest", "common"], {"rare": ALONE - 10, "usual": ALONE, "rarest": 10, "common": 10**6})
    assert (found.alone, found.anchors, found.terms) == (("rarest", "rare"), ("usual",), ("rare", "usual", "rarest", "common"))
    assert probe(["common", "gone"], {"common": 10**6}).alone == ("common",)


def test_as_many_anchors_as_there_is_room_for(monkeypatch):
    """Counted from the rarest."""
    monkeypatch.setattr(module, "INDEX_BUDGET", 300)
    found = probe(["a", "b", "c"], {"a": 200, "b": 100, "c": 100})
    assert (*found.alone, *found.anchors) == ("b", "c")
