"""The scores of similar articles, and which of them are shown."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.intelligence.likeness import (
    MIN_SCORE,
    RECENCY,
    SAME_PUBLISHER,
    Candidate,
    Scored,
    drop_duplicates,
    rescore_articles,
    score_candidates,
)
from tests.values import NOW, article

WEIGHTS = {"a": 4.0, "b": 2.0, "c": 1.0, "d": 1.0}
_candidates = st.lists(
    st.builds(Candidate, st.integers(1, 50), st.integers(0, 400), st.integers(0, 15)),
    unique_by=lambda it: it.id,
    max_size=8,
)


@given(_candidates, st.dictionaries(st.sampled_from("abcd"), st.floats(0.01, 10), min_size=4))
def test_closest_are_in_order_and_within_bounds(candidates, weights):
    """Best first. No score is below MIN_SCORE or above 1, and no article occurs twice."""
    found = score_candidates(candidates, weights)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(MIN_SCORE <= one.score <= 1 + 1e-9 for one in found)
    assert len({one.id for one in found}) == len(found)


@given(st.integers(0, 15), st.integers(0, 15), st.integers(1, 200), st.integers(0, 200))
def test_more_in_common_never_lowers_a_score_and_length_never_raises_it(
    shared, more, words, longer
):
    """The other candidates have the usual length."""
    usual = Candidate(1, words, 15)
    base, richer, wordier = (
        {
            one.id: one.score
            for one in score_candidates([usual, usual, Candidate(2, length, mask)], WEIGHTS)
        }.get(2, 0.0)
        for length, mask in ((words, shared), (words, shared | more), (words + longer, shared))
    )
    assert richer >= base
    assert wordier <= base


def test_a_score_is_the_share_of_the_telling_weight():
    """The article has the usual length. Its shared terms are ordered by weight."""
    (found,) = score_candidates(
        [Candidate(1, 10, 0b0110)], {"c": 1.0, "a": 4.0, "b": 2.0, "d": 1.0}
    )
    assert found == Scored(1, pytest.approx(6 / 8), ("a", "b"))
    assert score_candidates([Candidate(1, 10, 0)], WEIGHTS) == []
    assert score_candidates([], WEIGHTS) == []


def test_an_archive_of_empty_articles_does_not_divide_by_zero():
    """A length of 0 counts as 1."""
    assert score_candidates([Candidate(1, 0, 1)], WEIGHTS)[0].score == pytest.approx(0.5)


def test_recent_articles_and_other_publishers_are_preferred():
    """The factors are the documented ones.

    The spelling of the publisher does not matter. Of equal scores, the latest archived comes first.
    An article that was deleted is left out.
    """
    scored = [Scored(number, 0.8, ("a",)) for number in (1, 2, 3, 4, 5)]
    aged = {1: 30, 2: 0, 3: 0, 5: -9}
    articles = {
        number: article(publisher="BBC ", published_at=NOW - timedelta(days=days))
        for number, days in aged.items()
    }
    articles[3] = article(publisher="Reuters", published_at=NOW)
    found = rescore_articles(scored, articles, "bbc", NOW)
    assert [one.id for one in found] == [3, 5, 2, 1]
    assert [one.score for one in found] == pytest.approx(
        [
            0.8,
            0.8 * SAME_PUBLISHER,
            0.8 * SAME_PUBLISHER,
            round(0.8 * SAME_PUBLISHER * (1 - RECENCY / 2), 4),
        ]
    )
    assert {one.score for one in rescore_articles(scored, articles, None, NOW) if one.id != 1} == {
        0.8
    }


def scored(*ids):
    """Candidates with these ids, best first."""
    return [Scored(one, 1 - place / 100, ()) for place, one in enumerate(ids)]


def shown(*args):
    """The ids that `drop_duplicates` keeps."""
    return [one.id for one in drop_duplicates(*args)]


TITLES = {
    1: "Flood in Wales",
    2: "Strike in France",
    3: "Election in Peru",
    4: "Flood in Wales!",
    5: "",
}


def test_each_story_is_shown_once_and_known_ones_never():
    """Articles are one story by a tie or by similar titles.

    A tie also counts through an article that was not found. An article without a title entry is
    left out.
    """
    assert shown(scored(1, 2, 3), TITLES, [], []) == [1, 2, 3]
    assert shown(scored(4, 1, 2), TITLES, [], []) == [4, 2]
    assert shown(scored(2, 3, 1), TITLES, [(2, 9), (9, 3)], []) == [2, 1]
    assert shown(scored(2, 3, 1), TITLES, [(2, 9), (3, 9)], [(9, "Elsewhere")]) == [1]
    assert shown(scored(2, 1), TITLES, [], [(None, "FLOOD in Wales")]) == [2]
    assert shown(scored(7, 1), TITLES, [], []) == [1]
    assert shown(scored(5, 1), TITLES, [], []) == [5, 1]


@given(
    st.lists(st.integers(1, 12), unique=True, max_size=8),
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=6),
    st.lists(st.integers(1, 12), max_size=2),
)
def test_no_two_shown_articles_are_tied(ids, ties, known):
    """No article that is shown is tied to another or to a known one.

    The best article is shown unless it is tied to a known one.
    """
    titles = {number: f"{chr(96 + number) * 20}" for number in range(1, 13)}
    kept = shown(scored(*ids), titles, ties, [(one, "?") for one in known])
    groups = {one: {one} for one in range(1, 13)}
    for _ in range(12):
        for one, other in ties:
            groups[one] = groups[other] = groups[one] | groups[other]
        for one in range(1, 13):
            groups[one] = {it for member in [*groups[one]] for it in groups[member]}
    assert all(not groups[one] & ({*kept, *known} - {one}) for one in kept)
    assert kept[:1] == ids[:1] or (ids and groups[ids[0]] & {*known}) or not ids
