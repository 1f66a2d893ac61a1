"""A search as one person sees it: what is filled in, put first and hidden, and that nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.personal.arrange import SOURCE, TOPIC, fill
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.search.article import Group, Member
from newsintel.domain.search.harvest import Answer, Harvest, Merge, Ranked, ScoreParts
from newsintel.domain.search.query_model import Dedupe, Sort
from newsintel.domain.search.scoring import shown
from newsintel.http.bodies.search import View
from newsintel.http.bodies.search import render as render_for_all
from tests.values import NOW, article, outcome, query
from tests.whole import arrange, render_for_one

ALL = Preferences(language="en", default_limit=5, dedupe=Dedupe.STRICT, sort=Sort.NEWEST)


def ranked(page, score=0.5, *others, **changes):
    """A story with a score, of one article and maybe others."""
    leader = article(page, **changes)
    return Ranked(Group((Member(leader), *(Member(other) for other in others)), leader), ScoreParts(score, 0, 0, 0, 0))


def titles(arranged):
    """The leaders' pages, in order."""
    return [one.group.leader.external_id for one in arranged.ranked]


def test_preferences_stand_in_where_nothing_was_asked():
    """For language, limit, dedupe and sort; each that did is named."""
    filled, used = fill({"q"}, ALL)
    assert filled == {"language": "en", "limit": 5, "dedupe": Dedupe.STRICT, "sort": Sort.NEWEST}
    assert used == ("language", "default_limit", "dedupe", "sort")


def test_what_was_asked_counts():
    """Even where it is the default; a preference that nobody has fills nothing."""
    assert fill({"q", "limit", "language", "dedupe", "sort"}, ALL) == ({}, ())
    assert fill({"q"}, Preferences()) == ({}, ())


def test_a_preferred_source_is_worth_a_step():
    """It passes what is less than a step better, not what is more; any article of a story will do."""
    stories = [
        ranked("far", 0.9),
        ranked("near", 0.59),
        ranked("hers", 0.5, source="reddit"),
        ranked("also", 0.495, article("x", source="reddit")),
    ]
    arranged = arrange(stories, Preferences(preferred_sources=("reddit",)), Sort.RELEVANCE)
    assert titles(arranged) == ["far", "hers", "also", "near"]
    assert arranged.worth == (0.0, SOURCE, SOURCE, 0.0)
    assert arranged.applied == ("preferred_sources",)


@pytest.mark.parametrize("where", ["title", "description", "section"])
def test_a_topic_is_worth_more(where):
    """Wherever its words stand in a row, in any case, as their language stems them; parts of words and scattered words are not it."""
    hers = ranked("hers", 0.5, **{where: "On CLIMATE changes, again"})
    stories = [ranked("parts", 0.6, title="Climate changeover"), ranked("apart", 0.6, title="change of climate"), hers]
    arranged = arrange(stories, Preferences(topics=("climate change",)), Sort.RELEVANCE)
    assert titles(arranged) == ["hers", "parts", "apart"]
    assert arranged.worth[0] == TOPIC


def test_ties_stay_in_their_order():
    """Preferences decide, and where they do not the shared order does; scores are compared as they are shown."""
    stories = [ranked("a", 0.6), ranked("b", 0.5, source="reddit"), ranked("c", 0.5, source="reddit"), ranked("d", 0.5)]
    assert titles(arrange(stories, Preferences(preferred_sources=("reddit",)), Sort.RELEVANCE)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.POPULAR])
def test_other_orders_are_facts(sort):
    """Newest is newest, whatever a person likes; hiding goes on."""
    stories = [ranked("a", 0.1), ranked("b", 0.1, source="reddit", title="AI"), ranked("c", 0.1, title="football")]
    preferences = Preferences(preferred_sources=("reddit",), topics=("AI",), excluded_topics=("football",))
    arranged = arrange(stories, preferences, sort)
    assert (titles(arranged), arranged.hidden, arranged.applied) == (["a", "b"], 1, ("excluded_topics",))


def test_an_excluded_topic_hides_the_story():
    """If any of its articles is on it, since a story is one; how many went is told."""
    stories = [ranked("a"), ranked("b", 0.5, article("x", section="Football")), ranked("c", title="Footballmania")]
    arranged = arrange(stories, Preferences(excluded_topics=("football",)), Sort.RELEVANCE)
    assert (titles(arranged), arranged.hidden, arranged.applied) == (["a", "c"], 1, ("excluded_topics",))


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
def test_nothing_is_lost_or_made_up(stories, preferences, sort):
    """The result is a permutation of the stories without the hidden ones, whatever the preferences."""
    arranged = arrange(stories, preferences, sort)
    assert len(arranged.ranked) + arranged.hidden == len(stories)
    assert len(arranged.worth) == len(arranged.ranked)
    ids = [one.group.leader.id for one in arranged.ranked]
    assert len(set(ids)) == len(ids)
    assert all(one in stories for one in arranged.ranked)
    assert arrange(stories, preferences, sort) == arranged


@given(STORIES, PREFERENCES)
def test_no_story_jumps_farther_than_its_worth(stories, preferences):
    """By relevance, the sum of score and worth never rises from one story to the next."""
    arranged = arrange(stories, preferences, Sort.RELEVANCE)
    sums = [round(shown(one.parts) + worth, 4) for one, worth in zip(arranged.ranked, arranged.worth, strict=True)]
    assert sums == sorted(sums, reverse=True)
    assert all(0 <= worth <= SOURCE + TOPIC for worth in arranged.worth)


def answer(*stories):
    """An answer whose merge is these stories."""
    articles = tuple(one.group.leader for one in stories)
    return Answer(Harvest(query(), NOW, (outcome("guardian", *articles),)), Merge(Dedupe.NORMAL, stories))


def test_pages_are_cut_from_what_is_left():
    """total, has_more and the pages count the stories that are not hidden, in the person's order."""
    whole = answer(ranked("a", 0.6), ranked("b", 0.55, title="football"), ranked("c", 0.5), ranked("d", 0.45, title="AI"))
    preferences = Preferences(topics=("AI",), excluded_topics=("football",))
    pages = [render_for_one(whole, View(limit=2, page=page), preferences, ("language",)) for page in (1, 2, 3)]
    assert [[story["id"][-1] for story in page["articles"]] for page in pages] == [["d", "a"], ["c"], []]
    assert [(page["total"], page["has_more"]) for page in pages] == [(3, True), (3, False), (3, False)]
    assert pages[0]["personal"] == {"applied": ["language", "excluded_topics", "topics"], "hidden": 1}


def test_explain_says_what_preferences_added():
    """Story by story, on every page; the shared score and its parts stay what they are for everybody."""
    whole = answer(ranked("a", 0.6), ranked("b", 0.5, title="AI"))
    preferences = Preferences(topics=("AI",))
    shown_ = [render_for_one(whole, View(limit=1, page=page, explain=True), preferences, ())["articles"][0] for page in (1, 2)]
    assert [(story["preference"], story["score"]) for story in shown_] == [(TOPIC, 0.5), (0.0, 0.6)]
    assert "preference" not in render_for_one(whole, View(), preferences, ())["articles"][0]


@pytest.mark.parametrize("mode", Dedupe)
def test_without_preferences_it_is_everybodys(mode):
    """But for the member that says so; under every dedupe mode."""
    whole = answer(ranked("a", 0.6), ranked("b", 0.5))
    body = render_for_one(whole, View(dedupe=mode), Preferences(), ())
    assert body.pop("personal") == {"applied": [], "hidden": 0}
    assert body == render_for_all(whole, View(dedupe=mode))
