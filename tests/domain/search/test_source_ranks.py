"""A high place in a source's own order by relevance is evidence; other orders are none."""

import pytest
from hypothesis import given

from newsintel.domain.search.outcome import FetchOutcome
from newsintel.domain.search.query_model import Sort
from newsintel.domain.search.source_ranks import HALF_AFTER_PLACES, score_ranks
from tests.values import article, harvests, outcome, query

PAGES = [article(f"p{number}") for number in range(9)]


def test_evidence_falls_with_the_place():
    """The first has all of it, the sixth half."""
    ranks = score_ranks(query(), [outcome("guardian", *PAGES)])
    assert ranks[PAGES[0].id] == 1
    assert ranks[PAGES[HALF_AFTER_PLACES].id] == 1 / 2
    assert [ranks[one.id] for one in PAGES] == sorted(ranks.values(), reverse=True)


def test_a_page_of_several_sources_has_its_best_place():
    """Whichever source comes first."""
    one, two = outcome("newsapi", *PAGES), outcome("reddit", *reversed(PAGES))
    for outcomes in ([one, two], [two, one]):
        ranks = score_ranks(query(), outcomes)
        assert ranks[PAGES[0].id] == ranks[PAGES[-1].id] == 1


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.POPULAR])
def test_other_orders_are_no_evidence(sort):
    """The first of the newest is not about the query for that."""
    assert score_ranks(query(sort=sort), [outcome("guardian", *PAGES)]) == {}


def test_a_source_that_could_not_apply_the_order_gives_no_evidence():
    """It says so in `ignored`. Other ignored parameters do not matter."""
    assert score_ranks(query(), [outcome("feeds", *PAGES, ignored=("sort",))]) == {}
    assert score_ranks(query(), [outcome("reddit", *PAGES, ignored=("language",))])


@pytest.mark.slow
@given(harvests())
def test_evidence_is_between_zero_and_one_for_articles_of_the_harvest(harvest):
    """Each article that a source sent has some, under relevance; archived ones have none."""
    ranks = score_ranks(harvest.query, harvest.outcomes)
    sent = {one.id for each in harvest.outcomes for one in each.articles}
    assert ranks.keys() == (sent if harvest.query.sort is Sort.RELEVANCE else set())
    assert all(0 < value <= 1 for value in ranks.values())


def test_no_outcome_gives_no_evidence():
    """For example if the archive answers."""
    assert score_ranks(query(), []) == {}
    assert FetchOutcome("guardian", outcome("guardian").status, PAGES[0].published_at).ignored == ()
