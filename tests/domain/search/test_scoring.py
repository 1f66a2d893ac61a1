"""A score is the sum of documented parts, each of which grows with its evidence.

Every order is total and is the one that was asked for.
"""

from datetime import datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.search.article import Engagement, Group, Member, Rule
from newsintel.domain.search.dedup import group_articles
from newsintel.domain.search.harvest import ScoreParts
from newsintel.domain.search.popularity import score_popularity
from newsintel.domain.search.query_model import Clause, Dedupe, Sort, Term
from newsintel.domain.search.scoring import (
    CORROBORATION,
    DESCRIPTION,
    ENGAGEMENT,
    RECENCY,
    SOURCE_RANK,
    TITLE,
    display_score,
    score_group,
)
from tests.values import NOW, article, articles, modes, moments, queries, query
from tests.whole import rank

_groups = st.builds(group_articles, st.lists(articles(), min_size=1, max_size=6), modes)


def alone(**changes) -> Group:
    """A group of one article."""
    it = article(**changes)
    return Group((Member(it),), it)


def parts_of(found: Group, *clauses: Clause) -> ScoreParts:
    """The parts of a group's score."""
    return score_group(found, query(*clauses), NOW)


def test_the_weights_sum_to_one():
    """So the best score is 1."""
    weights = (TITLE, DESCRIPTION, SOURCE_RANK, RECENCY, CORROBORATION, ENGAGEMENT)
    assert pytest.approx(1.0) == sum(weights)


def test_what_the_query_says_weighs_most():
    """The query's words outweigh all else; the title outweighs any two parts without words."""
    others = sorted((SOURCE_RANK, RECENCY, CORROBORATION, ENGAGEMENT))
    assert sum(others) < TITLE + DESCRIPTION
    assert sum(others[-2:]) < TITLE


def test_titles_and_descriptions_weigh_as_in_the_archive():
    """PostgreSQL's ts_rank weighs a word of a title (A) 1.0 and of a description (B) 0.4.

    Source: PostgreSQL's documentation, 12.3.3, the default weights {0.1, 0.2, 0.4, 1.0}.
    """
    assert pytest.approx(0.4 / 1.0) == DESCRIPTION / TITLE


@given(_groups, queries, moments, st.floats(0, 1))
def test_parts_stay_in_their_ranges_and_sum_to_the_score(groups, asked, now, evidence):
    """For any input, each part is between 0 and its weight, and the score is between 0 and 1."""
    for found in groups:
        parts = score_group(found, asked, now, {found.founder.id: evidence})
        assert 0 <= parts.source_rank <= SOURCE_RANK
        assert 0 <= parts.title <= TITLE
        assert 0 <= parts.description <= DESCRIPTION
        assert 0 <= parts.recency <= RECENCY
        assert 0 <= parts.corroboration <= CORROBORATION
        assert 0 <= parts.engagement <= ENGAGEMENT
        assert 0 <= display_score(parts) <= 1
        assert display_score(parts) == pytest.approx(
            parts.title
            + parts.description
            + parts.source_rank
            + parts.recency
            + parts.corroboration
            + parts.engagement
        )


def test_the_best_possible_group_scores_one():
    """All terms match at the start, the date is now, and there are many publishers and readers.

    It is the first of its source, too. Only corroboration approaches its weight without reaching
    it.
    """
    best = article(
        title="story", description="story", published_at=NOW, engagement=Engagement(100_000, 0)
    )
    others = [article(str(number), publisher=f"Publisher {number}") for number in range(9_999)]
    found = Group((Member(best), *(Member(it, Rule.URL, 1.0) for it in others)), best)
    assert display_score(score_group(found, query(), NOW, {best.id: 1.0})) == 1.0


@pytest.mark.parametrize(
    ("clauses", "share"),
    [
        ([Clause((Term("fed"),))], 1),
        ([Clause((Term("fed"), Term("cuts")))], 1 / 2),
        ([Clause((Term("cuts"),)), Clause((Term("fed"), Term("holds")))], 1),
        ([Clause((Term("fed holds", phrase=True),))], 1),
        ([Clause((Term("holds fed", phrase=True),))], 0),
        ([Clause((Term("feds"),))], 1),
        ([Clause((Term("rat"),))], 0),
        ([Clause((Term("f\u00e9d"),))], 0.9),
        ([Clause((Term("the"), Term("fed")))], 1),
        ([Clause((Term("\uff26ed"),))], 1),
        ([Clause((Term("fed"),), (Term("covid"),))], 0),
        ([Clause((Term("fed"),), (Term("yellen"),))], 0),
        ([Clause((Term("fed"),), (Term("bank"),))], 1),
        ([Clause((Term("fed"),), (Term("yellen"),)), Clause((Term("fed"), Term("cuts")))], 1 / 2),
        ([Clause((Term("!?"),))], 0),
        ([Clause((Term("fed"),), (Term("!?"),))], 1),
    ],
)
def test_the_title_part_is_the_share_of_wanted_terms(clauses, share):
    """Of the best alternative, at the start of the title.

    It matches whole words, and phrases in a row. An unwanted word in title or description rules an
    alternative out. A word matches by its stem in its language, as in the archive, and less well if
    its marks differ.
    """
    found = alone(title="Fed holds rates, Covid-19 or not", description="Says Yellen")
    assert parts_of(found, *clauses).title == pytest.approx(TITLE * share)


def test_the_description_part_is_computed_from_the_description():
    """Title and description are scored separately. A group without a description scores 0 here."""
    clause = Clause((Term("yellen"), Term("fed")))
    assert parts_of(
        alone(title="No", description="Yellen, Fed"), clause
    ).description == pytest.approx(DESCRIPTION)
    assert parts_of(alone(title="No", description="Yellen"), clause).description == pytest.approx(
        DESCRIPTION / 2
    )
    assert parts_of(alone(title="Yellen of the Fed"), clause).description == 0


@pytest.mark.parametrize(
    ("hours", "share"), [(-5, 1), (0, 1), (48, 1 / 2), (96, 1 / 4), (24 * 365, 0)]
)
def test_recency_halves_every_two_days(hours, share):
    """A date in the future counts as now."""
    found = alone(published_at=NOW - timedelta(hours=hours))
    assert parts_of(found).recency == pytest.approx(RECENCY * share, abs=1e-4)


def test_an_estimated_date_scores_no_recency():
    """It is the time of the fetch. Otherwise, articles without a date would rank as the newest."""
    assert parts_of(alone(published_at=NOW, published_at_estimated=True)).recency == 0


@pytest.mark.parametrize(
    ("publishers", "share"),
    [(["A"], 0), (["A", "a "], 0), (["A", "B"], 1 / 2), (["A", "B", "A", "C"], 2 / 3)],
)
def test_corroboration_counts_distinct_publishers(publishers, share):
    """The same outlet twice, in any spelling, adds nothing."""
    members = [article(str(n), publisher=it) for n, it in enumerate(publishers)]
    found = Group(
        (Member(members[0]), *(Member(it, Rule.TITLE, 1.0) for it in members[1:])), members[0]
    )
    assert parts_of(found).corroboration == pytest.approx(CORROBORATION * share, abs=1e-4)


@pytest.mark.parametrize(
    ("counts", "share"),
    [
        ([None], 0),
        ([(-7, 2)], 0),
        ([(0, 0)], 0),
        ([(10, 5), (90_000, 10_000)], 1),
        ([(10**9, 0)], 1),
    ],
)
def test_engagement_is_that_of_the_groups_best_member(counts, share):
    """Points and comments on a log scale.

    A negative score counts as none, and the scale has an upper end.
    """
    members = [article(engagement=it and Engagement(*it), published_at=NOW) for it in counts]
    found = Group(
        (Member(members[0]), *(Member(it, Rule.URL, 1.0) for it in members[1:])), members[0]
    )
    assert parts_of(found).engagement == pytest.approx(ENGAGEMENT * share, abs=1e-4)


@pytest.mark.parametrize(
    ("typed", "early", "late", "language"),
    [
        ("apple", "Apple sues", "Court hears that Apple sues", "en"),
        ("apple", "Apple’s factory", "Visit to Apple’s factory", "en"),
        ("apple", "Apples rot", "Why do the apples rot", "en"),
        ("elections", "Election: how it went", "How the election went", "en"),
        ("wahl", "Wahlen verschoben", "Warum man die Wahlen verschob", "de"),
        ("выборы", "Выборов не будет", "Почему не будет выборов", "ru"),
        ("地震", "地震が起きた", "東京で地震が起きた", "ja"),
    ],
)
def test_a_match_counts_more_the_earlier_a_reader_meets_it(typed, early, late, language):
    """Start of the title, later in it, summary, body: each scores more than the next.

    The words are inflected, and are found by the rules of the article's language. Of the body only
    the source's own order knows.
    """
    begins, later = (alone(page=it, title=it, language=language) for it in (early, late))
    summary = alone(page="s", title="…", description=late, language=language)
    body = alone(page="b", title="…", description="…", language=language)
    asked, ranks = query(Clause((Term(typed),))), {body.leader.id: 0.5}
    scores = [
        display_score(score_group(one, asked, NOW, ranks)) for one in (begins, later, summary, body)
    ]
    assert scores == sorted(set(scores), reverse=True)
    assert scores[-1] > display_score(score_group(body, asked, NOW))


def test_an_old_posts_reactions_do_not_lead():
    """Reactions lose half their worth in 14 days, as recency does in two.

    A post of seven years ago with a hundred thousand points comes after a new article that says the
    same.
    """
    post = alone(
        page="p",
        title="Climate pledge",
        published_at=NOW - timedelta(days=7 * 365),
        engagement=Engagement(90_000, 10_000),
    )
    news = alone(page="n", title="Climate pledge made", published_at=NOW - timedelta(days=5))
    ranked = rank([post, news], query(Clause((Term("climate"),))), NOW)
    assert [it.group for it in ranked] == [news, post]


@pytest.mark.parametrize(
    ("days", "share"), [(-1, 1), (0, 1), (14, 1 / 2), (28, 1 / 4), (7 * 365, 0)]
)
def test_engagement_halves_every_fourteen_days(days, share):
    """Since the member's own date. A date in the future counts as now."""
    found = alone(published_at=NOW - timedelta(days=days), engagement=Engagement(10**5, 0))
    assert parts_of(found).engagement == pytest.approx(ENGAGEMENT * share, abs=1e-4)


def test_reactions_without_a_date_count_nothing():
    """Nobody knows how old they are; an estimated date is the time of the fetch."""
    found = alone(published_at_estimated=True, engagement=Engagement(10**5, 0))
    assert parts_of(found).engagement == 0


def test_the_best_members_place_counts():
    """A story has the evidence of its members, not only of the leader."""
    first, second = article("a"), article("b")
    found = Group((Member(first), Member(second, Rule.URL, 1.0)), first)
    parts = score_group(found, query(), NOW, {first.id: 0.25, second.id: 0.5})
    assert parts.source_rank == pytest.approx(SOURCE_RANK / 2)


def test_a_source_that_ignored_an_exclusion_is_not_believed():
    """Its place counts nothing for an article with an unwanted word.

    It counts for a language in which nothing of the query is left: the source matched something.
    """
    found = alone(title="Fed holds rates", description="Says Yellen")
    ranks = {found.leader.id: 1.0}
    excluding = query(Clause((Term("fed"),), (Term("yellen"),)))
    assert score_group(found, excluding, NOW, ranks).source_rank == 0
    german = alone(title="Die Bank und der Zins", language="de")
    bare = query(Clause((Term("die"),)))
    assert score_group(german, bare, NOW, {german.leader.id: 1.0}).title == 0
    assert score_group(german, bare, NOW, {german.leader.id: 1.0}).source_rank == SOURCE_RANK


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**5))
def test_more_evidence_never_scores_less(seconds, more_seconds, points, more_points):
    """An older date never raises recency, and more comments never lower engagement."""
    base = article(published_at=NOW - timedelta(seconds=seconds), engagement=Engagement(points, 0))
    older = evolve(base, published_at=base.published_at - timedelta(seconds=more_seconds))
    busier = evolve(base, engagement=Engagement(points, more_points))
    scored = [parts_of(Group((Member(it),), it)) for it in (base, older, busier)]
    assert scored[1].recency <= scored[0].recency
    assert scored[2].engagement >= scored[0].engagement


@given(st.lists(articles(), max_size=8), queries, moments, st.integers(0, 99))
def test_ranking_is_a_permutation_in_the_order_asked_for(given_articles, asked, now, people):
    """No group is lost. Equal ones are ordered by date (newest first), then by id."""
    groups = group_articles(given_articles, Dedupe.OFF)
    saves = {one.id: people for one in given_articles[:1]}
    ranked = rank(groups, asked, now, saves)
    assert sorted(map(id, groups)) == sorted(id(it.group) for it in ranked)

    def place(it) -> tuple[float, datetime, str]:
        worth = {
            Sort.RELEVANCE: display_score(it.parts),
            Sort.NEWEST: 0.0,
            Sort.POPULAR: score_popularity(it.group, saves),
        }
        return -worth[asked.sort], now - it.group.leader.published_at, it.group.leader.id

    assert [place(it) for it in ranked] == sorted(place(it) for it in ranked)


def test_each_sort_puts_its_own_kind_first():
    """The best match, the newest and the most popular group each lead in one sort."""
    fitting = alone(page="f", published_at=NOW - timedelta(days=9))
    new = alone(page="n", title="Else", published_at=NOW)
    popular = alone(
        page="p", title="Else", published_at=NOW - timedelta(days=9), engagement=Engagement(500, 50)
    )
    leads = {sort: rank([popular, new, fitting], query(sort=sort), NOW)[0].group for sort in Sort}
    assert leads == {Sort.RELEVANCE: fitting, Sort.NEWEST: new, Sort.POPULAR: popular}


def test_saves_decide_the_popular_order():
    """Between two stories that are otherwise equal."""
    one, other = alone(page="a"), alone(page="b")
    for first, second in ((one, other), (other, one)):
        ranked = rank([one, other], query(sort=Sort.POPULAR), NOW, {first.leader.id: 3})
        assert [it.group for it in ranked] == [first, second]


def test_ties_go_to_the_newest_then_to_the_smallest_id():
    """So the order is the same in every process."""
    old, first, second = (
        alone(page=page, title="Else", engagement=Engagement(9, 0)) for page in ("a", "b", "c")
    )
    old = alone(
        page="a", title="Else", engagement=Engagement(9, 0), published_at=NOW - timedelta(days=1)
    )
    assert [it.group for it in rank([old, second, first], query(sort=Sort.POPULAR), NOW)] == [
        first,
        second,
        old,
    ]
