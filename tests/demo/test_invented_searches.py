"""Invented searches: reproducible, never in the future, each about the invented news."""

from collections import Counter
from datetime import timedelta

from newsintel.demo.corpus import build_corpus
from newsintel.demo.invented_searches import DAYS, HABITS, NEWS, invent_searches, list_queries
from newsintel.demo.matching import fold_text
from newsintel.domain.intelligence.normal_form import write_normal_form
from newsintel.domain.search.query import build_query as understand
from tests.make import NOON

TOLD = invent_searches(NOON)


def test_equal_arguments_give_equal_searches():
    """Another seed gives other searches."""
    assert invent_searches(NOON) == TOLD
    assert invent_searches(NOON, seed=1) != TOLD


def test_searches_lie_within_the_last_days():
    """The searches are in the order of their times."""
    assert all(NOON - timedelta(days=DAYS) < one.at <= NOON for one in TOLD)
    assert sorted(TOLD, key=lambda one: one.at) == TOLD


def test_a_later_run_only_adds_to_habits():
    """So a second run counts nobody twice."""
    habits = {query for group in HABITS for query in group} - {
        query for group, _, _ in NEWS for query in group
    }
    before = {
        one
        for one in TOLD
        if one.query in habits and one.at.date() > (NOON - timedelta(days=DAYS - 1)).date()
    }
    assert before <= set(invent_searches(NOON + timedelta(hours=5)))


def test_queries_are_in_their_normal_form():
    """The queries are counted exactly as written here."""
    assert set(list_queries()) == {one.query for one in TOLD}
    assert all(
        write_normal_form(understand(query, sources=()).clauses) == query
        for query in list_queries()
    )


def test_habits_reach_the_floor_daily_and_news_breaks():
    """At least three people a day search for a habit.

    Today's news has more people than on any earlier day.
    """
    people = Counter(
        (query, day) for query, day, _ in {(one.query, one.at.date(), one.person) for one in TOLD}
    )
    full_days = {one.at.date() for one in TOLD} - {NOON.date()}
    reached = [people[query, day] >= 3 for group in HABITS for query in group for day in full_days]
    assert sum(reached) > 0.9 * len(reached)
    assert all(people["malaria vaccine", day] == 0 for day in full_days)
    assert people["malaria vaccine", NOON.date()] >= 10


def test_every_query_finds_news():
    """In the invented corpus, by the words that people see."""
    corpus = build_corpus(NOON, 0)
    texts = [
        document.join_text()
        for documents in (corpus.newsapi, corpus.guardian, corpus.reddit)
        for document in documents
    ]
    for query in list_queries():
        assert any(all(word in text for word in fold_text(query).split()) for text in texts), query
