"""A search as one person sees it: what preferences fill in, move up and hide.

Nothing else changes.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.personal.arrange import SOURCE_BONUS, TOPIC_BONUS, fill_parameters
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.search.article import Group, Member
from newsintel.domain.search.harvest import Answer, Harvest, Merge, Ranked, ScoreParts
from newsintel.domain.search.query_model import Dedupe, Sort
from newsintel.domain.search.scoring import display_score
from newsintel.http.bodies.search import View
from newsintel.http.bodies.search import render as render_for_all
from tests.values import NOW, article, outcome, query
from tests.whole import arrange, render_for_one

ALL = Preferences(language="en", default_limit=5, dedupe=Dedupe.STRICT, sort=Sort.NEWEST)


def ranked(page, score=0.5, *others, **changes):
    """A story with a score, made of one article and maybe others."""
    leader = article(page, **changes)
    return Ranked(
        Group((Member(leader), *(Member(other) for other in others)), leader),
        ScoreParts(score, 0, 0, 0, 0, 0),
    )


def titles(arranged):
    """The pages of the leaders, in order."""
    return [one.group.leader.external_id for one in arranged.ranked]


def test_preferences_fill_in_missing_parameters():
    """Language, limit, dedupe and sort. The result names each preference that was used."""
    filled, used = fill_parameters({"q"}, ALL)
    assert filled == {"language": "en", "limit": 5, "dedupe": Dedupe.STRICT, "sort": Sort.NEWEST}
    assert used == ("language", "default_limit", "dedupe", "sort")


def test_given_parameters_take_precedence():
    """Even if they equal the default. An unset preference fills in nothing."""
    assert fill_parameters({"q", "limit", "language", "dedupe", "sort"}, ALL) == ({}, ())
    assert fill_parameters({"q"}, Preferences()) == ({}, ())


def test_a_preferred_source_adds_its_worth():
    """Its story passes those that are better by less than the worth.

    Any article of the story may be of the source.
    """
    stories = [
        ranked("far", 0.9),
        ranked("near", 0.59),
        ranked("hers", 0.5, source="reddit"),
        ranked("also", 0.495, article("x", source="reddit")),
    ]
    arranged = arrange(stories, Preferences(preferred_sources=("reddit",)), Sort.RELEVANCE)
    assert titles(arranged) == ["far", "hers", "also", "near"]
    assert arranged.worth == (0.0, SOURCE_BONUS, SOURCE_BONUS, 0.0)
    assert arranged.applied == ("preferred_sources",)


@pytest.mark.parametrize("where", ["title", "description", "section"])
def test_a_topic_adds_its_worth(where):
    """Its words must stand in a row, in any case, by their stems.

    Parts of words and scattered words do not match.
    """
    hers = ranked("hers", 0.5, **{where: "On CLIMATE changes, again"})
    stories = [
        ranked("parts", 0.6, title="Climate changeover"),
        ranked("apart", 0.6, title="change of climate"),
        hers,
    ]
    arranged = arrange(stories, Preferences(topics=("climate change",)), Sort.RELEVANCE)
    assert titles(arranged) == ["hers", "parts", "apart"]
    assert arranged.worth[0] == TOPIC_BONUS


def test_equal_stories_keep_the_shared_order():
    """Preferences decide first. Scores are compared as they are shown."""
    stories = [
        ranked("a", 0.6),
        ranked("b", 0.5, source="reddit"),
        ranked("c", 0.5, source="reddit"),
        ranked("d", 0.5),
    ]
    assert titles(arrange(stories, Preferences(preferred_sources=("reddit",)), Sort.RELEVANCE)) == [
        "a",
        "b",
        "c",
        "d",
    ]


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.POPULAR])
def test_other_sorts_ignore_preferences_except_hiding(sort):
    """For example, the newest story stays first for everybody."""
    stories = [
        ranked("a", 0.1),
        ranked("b", 0.1, source="reddit", title="AI"),
        ranked("c", 0.1, title="football"),
    ]
    preferences = Preferences(
        preferred_sources=("reddit",), topics=("AI",), excluded_topics=("football",)
    )
    arranged = arrange(stories, preferences, sort)
    assert (titles(arranged), arranged.hidden, arranged.applied) == (
        ["a", "b"],
        1,
        ("excluded_topics",),
    )


def test_an_excluded_topic_hides_the_whole_story():
    """One matching article of the story is enough. The number of hidden stories is reported."""
    stories = [
        ranked("a"),
        ranked("b", 0.5, article("x", section="Football")),
        ranked("c", title="Footballmania"),
    ]
    arranged = arrange(stories, Preferences(excluded_topics=("football",)), Sort.RELEVANCE)
    assert (titles(arranged), arranged.hidden, arranged.applied) == (
        ["a", "c"],
        1,
        ("excluded_topics",),
    )


WORDS = st.sampled_from(["ai", "flood", "football", "climate change", "market"])
STORIES = st.lists(
    st.builds(
        lambda number, score, source, title: ranked(f"{number}", score, source=source, title=title),
        st.integers(0, 999),
        st.floats(0, 1).map(lambda score: round(score, 4)),
        st.sampled_from(["newsapi", "guardian", "reddit"]),
        st.lists(WORDS).map(" ".join),
    ),
    unique_by=lambda one: one.group.leader.id,
)
PREFERENCES = st.builds(
    Preferences,
    preferred_sources=st.lists(st.sampled_from(["guardian", "reddit"]), unique=True).map(tuple),
    topics=st.lists(WORDS).map(tuple),
    excluded_topics=st.lists(WORDS).map(tuple),
)


@given(STORIES, PREFERENCES, st.sampled_from(Sort))
def test_no_story_is_lost_or_added(stories, preferences, sort):
    """The result has the same stories without the hidden ones, for any preferences."""
    arranged = arrange(stories, preferences, sort)
    assert len(arranged.ranked) + arranged.hidden == len(stories)
    assert len(arranged.worth) == len(arranged.ranked)
    ids = [one.group.leader.id for one in arranged.ranked]
    assert len(set(ids)) == len(ids)
    assert all(one in stories for one in arranged.ranked)
    assert arrange(stories, preferences, sort) == arranged


@given(STORIES, PREFERENCES)
def test_no_story_moves_farther_than_its_worth(stories, preferences):
    """By relevance, the sum of score and worth never rises from one story to the next."""
    arranged = arrange(stories, preferences, Sort.RELEVANCE)
    sums = [
        round(display_score(one.parts) + worth, 4)
        for one, worth in zip(arranged.ranked, arranged.worth, strict=True)
    ]
    assert sums == sorted(sums, reverse=True)
    assert all(0 <= worth <= SOURCE_BONUS + TOPIC_BONUS for worth in arranged.worth)


def answer(*stories):
    """An answer whose merge has these stories."""
    articles = tuple(one.group.leader for one in stories)
    return Answer(
        Harvest(query(), NOW, (outcome("guardian", *articles),)), Merge(Dedupe.NORMAL, stories)
    )


def test_pages_are_cut_after_hiding():
    """total, has_more and the pages count only visible stories, in the person's order."""
    whole = answer(
        ranked("a", 0.6),
        ranked("b", 0.55, title="football"),
        ranked("c", 0.5),
        ranked("d", 0.45, title="AI"),
    )
    preferences = Preferences(topics=("AI",), excluded_topics=("football",))
    pages = [
        render_for_one(whole, View(limit=2, page=page), preferences, ("language",))
        for page in (1, 2, 3)
    ]
    assert [[story["id"][-1] for story in page["articles"]] for page in pages] == [
        ["d", "a"],
        ["c"],
        [],
    ]
    assert [(page["total"], page["has_more"]) for page in pages] == [
        (3, True),
        (3, False),
        (3, False),
    ]
    assert pages[0]["personal"] == {
        "applied": ["language", "excluded_topics", "topics"],
        "hidden": 1,
    }


def test_explain_shows_what_preferences_added():
    """For each story, on every page. The shared score and its parts do not change."""
    whole = answer(ranked("a", 0.6), ranked("b", 0.5, title="AI"))
    preferences = Preferences(topics=("AI",))
    shown_ = [
        render_for_one(whole, View(limit=1, page=page, explain=True), preferences, ())["articles"][
            0
        ]
        for page in (1, 2)
    ]
    assert [(story["preference"], story["score"]) for story in shown_] == [
        (TOPIC_BONUS, 0.5),
        (0.0, 0.6),
    ]
    assert "preference" not in render_for_one(whole, View(), preferences, ())["articles"][0]


@pytest.mark.parametrize("mode", Dedupe)
def test_without_preferences_the_body_is_that_for_everybody(mode):
    """Except for the member `personal`, for every dedupe mode."""
    whole = answer(ranked("a", 0.6), ranked("b", 0.5))
    body = render_for_one(whole, View(dedupe=mode), Preferences(), ())
    assert body.pop("personal") == {"applied": [], "hidden": 0}
    assert body == render_for_all(whole, View(dedupe=mode))
