"""The popularity of a story.

It grows with what readers and editors did, and with nothing else.
"""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.search.article import Engagement, Group, Member, Rule
from newsintel.domain.search.dedup import group_articles
from newsintel.domain.search.popularity import (
    CORROBORATION,
    ENGAGEMENT,
    MOST_SAVED,
    SAVES,
    SaveCounter,
    score_popularity,
)
from newsintel.domain.search.query_model import Dedupe
from tests.values import article, articles, modes

_groups = st.builds(group_articles, st.lists(articles(), min_size=1, max_size=6), modes)
_saves = st.dictionaries(
    st.sampled_from([article(page).id for page in "pqrstuvwxyz"]), st.integers(0, 10**6)
)


def story(*members):
    """A group led by its first article."""
    return Group(
        (Member(members[0]), *(Member(it, Rule.URL, 1.0) for it in members[1:])), members[0]
    )


def test_the_weights_sum_to_one():
    """So the most popular story approaches 1."""
    assert pytest.approx(1.0) == ENGAGEMENT + CORROBORATION + SAVES


@given(_groups, _saves)
def test_popularity_is_between_zero_and_one(groups, saves):
    """For any groups and numbers of saves."""
    assert all(0 <= score_popularity(found, saves) <= 1 for found in groups)


@given(_groups, _saves, st.integers(1, 10**5))
def test_more_saves_readers_or_publishers_never_lower_popularity(groups, saves, more):
    """Each of the three alone."""
    for found in groups:
        before = score_popularity(found, saves)
        leader = found.leader
        assert (
            score_popularity(found, {**saves, leader.id: saves.get(leader.id, 0) + more}) >= before
        )
        counted = leader.engagement or Engagement(0, 0)
        busier = evolve(
            leader, engagement=Engagement(max(counted.points, 0) + more, max(counted.comments, 0))
        )
        assert (
            score_popularity(
                evolve(found, members=(*found.members, Member(busier, Rule.URL, 1.0))), saves
            )
            >= before
        )
        other = Member(article("other", publisher="Another Herald"), Rule.TITLE, 1.0)
        assert score_popularity(evolve(found, members=(*found.members, other)), saves) >= before


def test_each_part_is_bounded_by_its_weight():
    """A thousand saves fill the part for saves. An article without any interest scores 0."""
    alone = article()
    assert score_popularity(story(alone), {}) == 0
    assert score_popularity(story(alone), {alone.id: MOST_SAVED}) == SAVES
    assert score_popularity(story(alone), {alone.id: 10 * MOST_SAVED}) == SAVES
    assert (
        score_popularity(story(evolve(alone, engagement=Engagement(90_000, 10_000))), {})
        == ENGAGEMENT
    )
    assert score_popularity(story(alone, article("q", publisher="B")), {}) == CORROBORATION / 2


def test_a_page_has_one_publisher():
    """Only another page corroborates a story."""
    named = article("p", publisher="Kyiv Independent")
    linked = evolve(named, source="reddit", publisher="kyivindependent.com")
    other = article("q", publisher="kyivindependent.com")
    for members, share in (((named, linked), 0), ((named, other), 1 / 2), ((linked, other), 0)):
        assert score_popularity(story(*members), {}) == CORROBORATION * share
    assert score_popularity(story(named, linked, other), {}) == CORROBORATION / 2


def test_saves_of_a_storys_articles_are_not_added_up():
    """They may be saves of the same people."""
    one, two = article("p"), article("q")
    assert score_popularity(story(one, two), {one.id: 5, two.id: 5}) == score_popularity(
        story(one, two), {one.id: 5}
    )


def test_saves_of_another_article_do_not_count():
    """Saves belong to an article id."""
    assert score_popularity(story(article("p")), {article("q").id: 50}) == 0


def test_saves_are_replaced_as_a_whole():
    """An article that is missing from the new counts has no saves."""
    saves = SaveCounter()
    assert saves.select(["a"]) == {}
    saves.replace({"a": 3, "b": 4})
    assert saves.select(["a", "c"]) == {"a": 3}
    saves.replace({"b": 5})
    assert saves.select(["a", "b"]) == {"b": 5}


def test_publishers_count_only_within_a_group():
    """Without merging, two publishers of a story do not corroborate each other."""
    one, two = article("p", publisher="A"), article("q", publisher="B")
    assert [score_popularity(found, {}) for found in group_articles([one, two], Dedupe.OFF)] == [
        0,
        0,
    ]
