"""Which searches are related: by the people and articles that they share.

Each has its reasons.
"""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.intelligence.related import explain_relation, rank_related, score_closeness
from newsintel.domain.intelligence.search_counts import QueryRelation, RelatedSearch
from newsintel.http.bodies.intelligence import build_related_body

BOTH = QueryRelation("flood", "dyke", people=4, seed_people=9, together=3, shared=6, either=10)
ARTICLES = evolve(BOTH, query="tide", together=0)
PEOPLE = evolve(BOTH, query="rain", shared=0, either=0)


@st.composite
def kins(draw):
    """Possible numbers: what is shared never exceeds the total."""
    query, seed = draw(st.sampled_from("abcdef")), draw(st.sampled_from("xyz"))
    people, seed_people = ord(query), draw(st.integers(0, 1000))
    together, either = draw(st.integers(0, min(seed_people, people))), draw(st.integers(1, 20))
    return QueryRelation(
        seed, query, people, seed_people, together, draw(st.integers(0, either)), either
    )


def test_both_kinds_of_evidence_add_up():
    """3 of 4 and 9 people: 3/sqrt(36) = 0.5. 6 of 10 articles: 0.6. Both: 1 - 0.5 * 0.4 = 0.8."""
    assert score_closeness(PEOPLE) == 0.5
    assert score_closeness(ARTICLES) == 0.6
    assert score_closeness(BOTH) == 0.8


@given(kins())
def test_closeness_is_between_0_and_1_and_either_evidence_raises_it(kin):
    """It is 0 without anything in common. Removing one kind of evidence never raises it."""
    assert 0 <= score_closeness(kin) <= 1
    assert score_closeness(evolve(kin, together=0)) <= score_closeness(kin)
    assert score_closeness(evolve(kin, shared=0)) <= score_closeness(kin)
    assert score_closeness(evolve(kin, together=0, shared=0)) == 0


def test_a_query_that_everybody_searches_for_is_hardly_related():
    """The same shared people weigh less if the other query has many."""
    assert score_closeness(evolve(PEOPLE, people=4000)) < score_closeness(PEOPLE) / 10


@given(st.lists(kins()), st.integers(0, 5))
def test_each_query_is_shown_once_with_its_closest_seed(found, limit):
    """Best first, for any order of the input, and without the excluded queries."""
    shown = rank_related(found, limit, without=["a"])
    again = rank_related(found[::-1], limit, without=["a"])
    assert [(one.kin.query, one.kin.seed, one.score) for one in shown] == [
        (one.kin.query, one.kin.seed, one.score) for one in again
    ]
    queries = [one.kin.query for one in shown]
    assert len(set(queries)) == len(queries) <= limit
    assert "a" not in queries
    for one in shown:
        assert one.score == max(score_closeness(kin) for kin in found if kin.query == one.kin.query)


def test_every_reason_is_given():
    """One for people and one for articles, each with its number."""
    people = "3 people searched for this and for flood on the same day"
    articles = "its answers share 6 articles with those of flood"
    assert explain_relation(BOTH) == [people, articles]
    assert explain_relation(PEOPLE) == [people]
    assert explain_relation(evolve(ARTICLES, shared=1)) == [
        "its answers share 1 article with those of flood"
    ]
    assert build_related_body([RelatedSearch(BOTH, 0.80049)]) == {
        "searches": [{"query": "dyke", "score": 0.8, "people": 4, "reasons": [people, articles]}]
    }
