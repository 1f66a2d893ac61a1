"""A person's interests, derived from what the person did."""

from datetime import timedelta
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.intelligence.interest_model import Deed, DeedKind, Profile
from newsintel.domain.intelligence.interests import (
    HALF_LIFE_D,
    MOST_AVERSE,
    MOST_DEEDS,
    MOST_INTERESTS,
    MOST_TERMS,
    STRENGTH,
    build_candidate_query,
    build_profile,
    deed_strength,
    select_strongest,
)
from tests.values import NOW

WORDS = ("comet", "norway", "sky", "bank", "rate", "bread", "flour")
SAVED = Deed(DeedKind.SAVED, "saved", "saved", NOW, "a_1")

deeds = st.builds(
    lambda kind, text, days: Deed(
        kind, text, text, None if kind is DeedKind.TOPIC else NOW - timedelta(days=days)
    ),
    st.sampled_from(DeedKind),
    st.sampled_from(["one", "two", "three"]),
    st.integers(-2, 400),
)
weights = st.dictionaries(st.sampled_from(WORDS), st.floats(0.1, 10), max_size=5)
lives = st.lists(st.tuples(deeds, weights), max_size=25)


def did(kind, days=0.0, label="x"):
    """A deed from so many days ago."""
    return Deed(kind, label, label, None if kind is DeedKind.TOPIC else NOW - timedelta(days=days))


def of(*done):
    """The profile of deeds, each given with its words.

    All words weigh the same; the strongest deed comes first.
    """
    return build_profile(
        [deed for deed, _ in done], [dict.fromkeys(words.split(), 1.0) for _, words in done], NOW
    )


@pytest.mark.parametrize("kind", HALF_LIFE_D)
def test_the_strength_of_a_deed_halves_after_its_half_life(kind):
    """It starts at the strength of its kind. A deed dated in the future counts as one of now."""
    assert deed_strength(did(kind), NOW) == deed_strength(did(kind, -3), NOW) == STRENGTH[kind]
    assert deed_strength(did(kind, HALF_LIFE_D[kind]), NOW) == STRENGTH[kind] / 2


def test_topics_do_not_fade_and_hidden_articles_have_no_strength():
    """A topic counts until the person removes it. Hiding an article concerns only that article."""
    assert deed_strength(did(DeedKind.TOPIC), NOW + timedelta(days=9_999)) == 1.0
    assert deed_strength(did(DeedKind.HIDDEN), NOW) == 0.0


def test_a_profile_uses_only_the_strongest_deeds():
    """They come strongest first, and equal ones keep their order. Hidden articles are left out."""
    many = [did(DeedKind.OPENED, label=str(number)) for number in range(MOST_DEEDS)]
    chosen = select_strongest([*many, did(DeedKind.HIDDEN), did(DeedKind.OPENED, 1), SAVED], NOW)
    assert chosen == [SAVED, *many[: MOST_DEEDS - 1]]
    assert select_strongest([did(DeedKind.HIDDEN)], NOW) == []


def test_deeds_that_share_words_form_one_interest():
    """The interest with the stronger deeds is the most important.

    Its words are those of its deeds, the repeated one first.
    """
    found = of(
        (did(DeedKind.SAVED), "comet norway"),
        (did(DeedKind.SAVED), "comet sky"),
        (did(DeedKind.SEARCHED), "bank rate"),
    )
    assert [interest.importance for interest in found.interests] == [
        1.0,
        pytest.approx((0.8 / 2) ** 0.5),
    ]
    first, second = found.interests
    assert next(iter(first.terms)) == "comet"
    assert (set(first.terms), set(second.terms)) == ({"comet", "norway", "sky"}, {"bank", "rate"})
    assert [len(interest.evidence) for interest in found.interests] == [2, 1]
    assert found.averse == {}


def test_a_deed_joins_the_most_similar_interest():
    """Of equally similar interests, the earliest gets it. One common word of five is not enough."""
    found = of(
        (did(DeedKind.SAVED), "comet norway"),
        (did(DeedKind.SAVED), "bank rate"),
        (did(DeedKind.SAVED), "bank rate comet"),
    )
    assert [len(interest.evidence) for interest in found.interests] == [2, 1]
    assert "bank" in found.interests[0].terms
    equal = of(
        (did(DeedKind.SAVED), "comet norway"),
        (did(DeedKind.SAVED), "bank rate"),
        (did(DeedKind.OPENED), "comet bank"),
    )
    assert "norway" in equal.interests[0].terms
    apart = of((did(DeedKind.SAVED), "comet a b c d"), (did(DeedKind.SAVED), "comet e f g h"))
    assert len(apart.interests) == 2


def test_a_dislike_weighs_against_its_words():
    """An interest keeps its other words. // The aversion keeps the words that no interest has."""
    found = of((did(DeedKind.SAVED), "comet norway"), (did(DeedKind.DISLIKED), "comet bread"))
    assert [dict(interest.terms) for interest in found.interests] == [{"norway": 1.0}]
    assert found.averse == {"bread": 1.0}
    less = of(
        (did(DeedKind.SAVED), "comet norway"),
        (did(DeedKind.DISLIKED, HALF_LIFE_D[DeedKind.DISLIKED]), "comet"),
    )
    assert less.interests[0].terms == pytest.approx({"norway": 0.7735, "comet": 0.2265}, abs=1e-4)
    assert of((did(DeedKind.SAVED), "comet"), (did(DeedKind.DISLIKED), "comet")) == Profile((), {})
    assert of((did(DeedKind.DISLIKED), "comet")) == Profile((), {"comet": 1.0})


def test_deeds_without_words_add_nothing():
    """A search for stop words alone is such a deed."""
    assert of() == of((did(DeedKind.SEARCHED), "")) == Profile((), {})


def test_wanted_searches_for_two_words_of_an_interest_or_its_only_one():
    """An interest of one word is searched for by that word. Disliked words are among the terms."""
    found = of(
        (did(DeedKind.SAVED), "comet norway sky tail"),
        (did(DeedKind.SAVED), "comet norway sky dust"),
        (did(DeedKind.SEARCHED), "bank"),
        (did(DeedKind.DISLIKED), "bread"),
    )
    looked_for = build_candidate_query(found)
    assert looked_for.alone == ("bank",)
    assert looked_for.groups == (tuple(found.interests[0].terms),)
    assert looked_for.terms == (*found.interests[0].terms, "bank", "bread")
    assert build_candidate_query(Profile((), {})).terms == ()


@given(lives)
def test_a_profile_is_bounded_for_any_deeds(done):
    """Importances fall from 1, shares add up to 1, and the numbers keep to their limits."""
    chosen = select_strongest([deed for deed, _ in done], NOW)
    found = build_profile(chosen, [dict(done)[deed] for deed in chosen], NOW)
    assert len(found.interests) <= MOST_INTERESTS
    assert all(0 < len(interest.terms) <= MOST_TERMS for interest in found.interests)
    assert len(found.averse) <= MOST_AVERSE
    importances = [interest.importance for interest in found.interests]
    assert importances == sorted(importances, reverse=True)
    assert not importances or importances[0] == 1.0
    for shares in (found.averse, *(interest.terms for interest in found.interests)):
        assert not shares or isclose(sum(shares.values()), 1)
        assert all(share > 0 for share in shares.values())
    assert all(len(group) > 1 for group in build_candidate_query(found).groups)
    assert len(build_candidate_query(found).terms) == len(set(build_candidate_query(found).terms))


@given(lives, weights.filter(bool))
def test_a_dislike_never_raises_the_weight_of_its_words(done, words):
    """Whatever the other deeds are, no interest's share of the total grows for a disliked word."""
    chosen = [(deed, some) for deed, some in done if deed.kind is not DeedKind.HIDDEN]
    dislike = (did(DeedKind.DISLIKED), words)
    before = build_profile([deed for deed, _ in chosen], [some for _, some in chosen], NOW)
    after = build_profile(
        [deed for deed, _ in [*chosen, dislike]], [some for _, some in [*chosen, dislike]], NOW
    )
    for word in words:
        assert (
            after.averse.get(word, 0) > 0
            or word not in before.averse
            or len(after.averse) == MOST_AVERSE
        )
        lone = {word} == set(words) and not any(
            word in interest.terms for interest in before.interests
        )
        assert not lone or not any(word in interest.terms for interest in after.interests)
