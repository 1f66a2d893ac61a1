"""Which words tell a topic, and how much of the index a probe reads.

A telling word is rare and stands in a weighty field of the text.
"""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.intelligence import term_weights as module
from newsintel.domain.intelligence.term_weights import (
    FIELD_WEIGHTS,
    INDEX_BUDGET,
    MAX_ALONE_ARTICLES,
    Word,
    idf,
    plan_probe,
    rank_terms,
)

_lexemes = st.text("abcdef'\\é", min_size=1, max_size=4)
_counts = st.dictionaries(_lexemes, st.integers(0, 20_000), max_size=12)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_idf_is_positive_and_falls_with_the_number_of_articles(one, other, total):
    """This also holds for a word in all articles, or in more articles than the total counts."""
    few, many = sorted((one, other))
    assert idf(few, total) >= idf(many, total) > 0


def test_idf_is_that_of_robertson_and_sparck_jones():
    """In the variant whose logarithm stays above 0."""
    assert idf(10, 1_000) == pytest.approx(log(1 + 990.5 / 10.5))


def test_the_rarest_of_the_weightiest_field_come_first():
    """Of equally rare words, those of the title come before those of the description.

    Equal weights are ordered by lexeme. At most the wanted number is returned.
    """
    words = [
        Word("b", "A", 5),
        Word("a", "A", 5),
        Word("c", "B", 5),
        Word("d", "A", 20),
        Word("e", "C", 5),
    ]
    weights = rank_terms(words, 1_000, 4, least=2)
    assert list(weights) == ["a", "b", "d", "c"]
    assert weights["c"] == pytest.approx(FIELD_WEIGHTS["B"] * weights["a"])


def test_words_of_one_article_or_of_most_articles_are_not_telling():
    """Neither kind leads to another similar article."""
    words = [
        Word("once", "D", 1),
        Word("twice", "D", 2),
        Word("tenth", "D", 100),
        Word("more", "D", 101),
    ]
    assert list(rank_terms(words, 1_000, 9, least=2)) == ["twice", "tenth"]
    assert list(rank_terms(words, 1_000, 9, least=1)) == ["once", "twice", "tenth"]
    assert list(rank_terms([Word("storm", "D", 15)], 16, 9, least=2)) == ["storm"], (
        "of a young archive every word is common"
    )


@given(_counts)
def test_a_probe_reads_little_and_has_every_known_term(articles):
    """It reads no more index entries than its budget, unless it is marked wide.

    Each anchor is at least as rare as every other term.
    """
    found = plan_probe(list(articles), articles)
    known = {term for term, count in articles.items() if count}
    if found is None:
        assert not known
        return
    anchors = {*found.alone, *found.anchors}
    assert anchors
    assert set(found.terms) == known
    assert found.wide == (sum(articles[term] for term in anchors) > INDEX_BUDGET)
    assert not found.wide or len(anchors) == 1
    assert max(articles[term] for term in anchors) <= min(
        (articles[term] for term in known - anchors), default=10**9
    )


def test_a_rare_term_or_the_only_term_matches_alone():
    """Rare terms match alone while few articles have any of them. Other terms need a second one."""
    found = plan_probe(
        ["rare", "usual", "rarest", "common"],
        {
            "rare": MAX_ALONE_ARTICLES - 10,
            "usual": MAX_ALONE_ARTICLES,
            "rarest": 10,
            "common": 10**6,
        },
    )
    assert (found.alone, found.anchors, found.terms) == (
        ("rarest", "rare"),
        ("usual",),
        ("rare", "usual", "rarest", "common"),
    )
    assert plan_probe(["common", "gone"], {"common": 10**6}).alone == ("common",)


def test_anchors_fill_the_budget_from_the_rarest(monkeypatch):
    """The anchors that fit are counted from the rarest term."""
    monkeypatch.setattr(module, "INDEX_BUDGET", 300)
    found = plan_probe(["a", "b", "c"], {"a": 200, "b": 100, "c": 100})
    assert (*found.alone, *found.anchors) == ("b", "c")
