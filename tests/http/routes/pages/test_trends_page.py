"""GET /trends: the same lists as /trending and /searches/related."""

import pytest

from newsintel.domain.intelligence.search_counts import ObservedQuery, QueryRelation, TrendWindow
from newsintel.domain.intelligence.trending import rank_trends
from newsintel.http.application import create_app
from tests.http.pages.parsed_page import get_page
from tests.http.world import World

OBSERVED = [ObservedQuery("weather", 40, 40.0), ObservedQuery("<b>flood", 23, 3.8)]
KIN = [QueryRelation("flood", "dyke", 4, 9, 3, 6, 10)]


def client_of(world):
    """A client without cookies of its own."""
    return create_app(world.services).test_client(use_cookies=False)


@pytest.fixture
def world():
    """A world in which people have searched."""
    made = World()
    made.trending.lists = {span: rank_trends(OBSERVED, 100) for span in TrendWindow}
    made.kinship.known = KIN
    return made


async def test_each_trend_has_its_reason_and_leads_to_its_search(world):
    """The windows are links."""
    page, response = await get_page(client_of(world), "/trends?window=7d")
    assert page.attributes(".plain li > a", "href") == ["./?q=%3Cb%3Eflood", "./?q=weather"]
    assert "23 people, 6 times the usual" in page.texts(".plain small")[0]
    assert page.attributes(".tabs a", "href") == ["?window=1h", "?window=24h", "?window=7d"]
    assert page.texts(".tabs [aria-current]") == ["7 days"]
    assert response.headers["Cache-Control"] == "public, max-age=60"


async def test_related_searches_of_one(world):
    """They have their reasons too."""
    page, _ = await get_page(client_of(world), "/trends?q=flood")
    assert page.texts("h2") == ["Related to flood", "Keys"]
    assert page.texts("ul.plain a") == ["dyke"]
    world.kinship.known = []
    page, _ = await get_page(client_of(world), "/trends?q=drought")
    assert page.texts("main .hint") == ["None yet."]


async def test_no_trend_is_explained():
    """The empty page is asked again soon."""
    page, response = await get_page(client_of(World()), "/trends")
    assert "Too few people have searched yet" in page.texts(".empty")[0]
    assert response.headers["Cache-Control"] == "public, max-age=5"


async def test_trends_that_are_away_are_a_page(world):
    """With the status of the API."""
    world.trending.away = True
    page, response = await get_page(client_of(world), "/trends")
    assert (response.status_code, page.texts("h1")) == (503, ["The archive did not answer"])
