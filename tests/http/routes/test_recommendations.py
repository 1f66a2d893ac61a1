"""GET /me/recommendations: articles with reasons, which follow the person's actions at once."""

import pytest
import trio
from attrs import evolve

from newsintel.domain.archive.model import Hit
from newsintel.domain.intelligence.search_counts import Trend, TrendWindow
from newsintel.domain.search.article import ArchivedArticle
from newsintel.errors import InvalidParameterError
from tests.http.personal_world import ONE, Person, code, world_with_articles
from tests.http.world import NOW, article

PATH = "/me/recommendations"
TITLES = {
    1: "Comet seen over northern Norway",
    2: "Norway comet brighter than expected",
    3: "How to photograph the Norway comet",
    4: "Central bank raises interest rates",
    5: "Bakers dispute over sourdough settled",
}


def titled(world, number, **changes):
    """Archive an article with a publisher of its own."""
    one = evolve(
        article(number),
        title=TITLES.get(number, f"Nothing {number * 1111}"),
        publisher=f"Paper {number}",
        **changes,
    )
    world.desk.archived[one.id] = ArchivedArticle(one, NOW, NOW, one.id)
    world.likeness.kept[one.id] = one
    return one


@pytest.fixture
def world():
    """Twelve articles, of which three are about one comet."""
    made = world_with_articles()
    made.desk.archived.clear()
    for number in range(1, 13):
        titled(made, number)
    return made


@pytest.fixture
async def alice(world):
    """A person who is signed in and has no known interests."""
    return await Person.of(world)


def reasons(body):
    """Return the main reason of each article, by id."""
    return {one["id"]: one["reasons"][0] for one in body["articles"]}


async def test_a_newcomer_gets_trending_and_new_articles(world, alice):
    """Articles of trending searches come first, then the newest; each has its reason."""
    world.trending.lists[TrendWindow.DAY] = [Trend("sourdough", 5, 0.0, 5.0)]
    world.archive.hits = (Hit(world.desk.archived[article(5).id].article, NOW, NOW),)
    body = await alice.get(PATH)
    assert body["basis"] == "trending"
    assert (body["articles"][0]["id"], body["articles"][0]["reasons"]) == (
        article(5).id,
        ["many people search for “sourdough”"],
    )
    assert {one["reasons"][0] for one in body["articles"][1:]} == {"new"}
    assert all(0 <= one["score"] <= 1 for one in body["articles"])


async def test_trends_are_read_once_a_minute(world, alice, autojump_clock):
    """All people share the list; a trend of stop words alone is skipped."""
    world.trending.lists[TrendWindow.DAY] = [Trend("the", 5, 0.0, 5.0)]
    world.archive.raises = InvalidParameterError("q", "only_stop_words", "q must say something")
    app = await Person.of(world)
    for _ in range(3):
        assert (await app.get(PATH))["basis"] == "trending"
    assert world.trending.reads == 1
    await trio.sleep(61)
    await app.get(PATH)
    assert world.trending.reads == 2


async def test_a_save_leads_to_similar_articles(alice):
    """They appear at once with the save as their reason; the save itself is not recommended."""
    await alice.put(f"/me/saved/{ONE.id}")
    body = await alice.get(PATH)
    assert body["basis"] == "personal"
    found = reasons(body)
    assert [found[article(number).id] for number in (2, 3)] == [
        f"because you saved “{TITLES[1]}”"
    ] * 2
    assert ONE.id not in found
    assert {one["id"] for one in body["articles"][:2]} == {article(2).id, article(3).id}
    assert all(
        why.startswith("exploration: ")
        for one, why in found.items()
        if one not in {article(2).id, article(3).id}
    )


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("PUT", "/me/opened/{}", {}),
        ("PUT", "/me/saved/{}", {"json": {}}),
        ("PUT", "/me/dismissed/{}", {"json": {"reason": "hide"}}),
        ("PUT", "/me/dismissed/{}", {"json": {"reason": "less_like_this"}}),
    ],
)
async def test_an_article_that_was_handled_leaves_the_next_page(alice, method, path, more):
    """It was opened, saved or dismissed; its basis may be personal or exploration."""
    await alice.put(f"/me/saved/{ONE.id}")
    for number in (2, 7):
        assert article(number).id in reasons(await alice.get(PATH))
        assert (await alice.ask(method, path.format(article(number).id), **more)).status_code in (
            201,
            204,
        )
        assert article(number).id not in reasons(await alice.get(PATH))


async def test_a_deleted_dismissal_shows_the_article_again(alice):
    """The page is as before the dismissal."""
    before = await alice.get(PATH)
    await alice.ask("PUT", f"/me/dismissed/{article(4).id}", json={"reason": "hide"})
    assert article(4).id not in reasons(await alice.get(PATH))
    await alice.delete(f"/me/dismissed/{article(4).id}")
    assert await alice.get(PATH) == before


async def test_less_like_this_lowers_similar_articles(alice):
    """Hiding an article leaves similar ones in place."""
    await alice.put(f"/me/saved/{ONE.id}")
    await alice.ask("PUT", f"/me/dismissed/{article(2).id}", json={"reason": "hide"})
    assert "because you saved" in reasons(await alice.get(PATH))[article(3).id]
    await alice.ask("PUT", f"/me/dismissed/{article(2).id}", json={"reason": "less_like_this"})
    assert not any("because you saved" in why for why in reasons(await alice.get(PATH)).values())


async def test_less_like_this_applies_to_trending_articles(alice):
    """If nothing speaks for similar articles, the page does not have them."""
    await alice.ask("PUT", f"/me/dismissed/{article(2).id}", json={"reason": "less_like_this"})
    found = await alice.get(PATH)
    assert (found["basis"], article(3).id in reasons(found), article(4).id in reasons(found)) == (
        "trending",
        False,
        True,
    )


async def test_topics_attract_and_excluded_topics_hide(alice):
    """A topic counts as an interest; an excluded topic hides even new articles."""
    await alice.put("/me/preferences/topics", value=["interest rates"])
    await alice.put("/me/preferences/excluded_topics", value=["sourdough"])
    found = reasons(await alice.get(PATH))
    assert found[article(4).id] == "topic you follow: interest rates"
    assert article(5).id not in found


async def test_recommendations_depend_on_the_persons_own_actions(world, alice):
    """What Bob does never changes alice's page."""
    bob = await Person.of(world, "bob")
    before = await alice.get(PATH)
    await bob.put(f"/me/saved/{ONE.id}")
    await bob.ask("PUT", f"/me/opened/{article(4).id}")
    assert await alice.get(PATH) == before


async def test_the_page_has_the_requested_length(alice):
    """The limit is 1 to 50; the page may be shorter if there are fewer articles."""
    assert len((await alice.get(f"{PATH}?limit=3"))["articles"]) == 3
    assert len((await alice.get(f"{PATH}?limit=50"))["articles"]) == 12
    for bad in ("limit=0", "limit=51", "page=2"):
        assert await code(await alice.ask("GET", f"{PATH}?{bad}")) == (400, "invalid_parameter")
