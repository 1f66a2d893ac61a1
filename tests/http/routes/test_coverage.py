"""GET /articles/{id}/coverage."""

from attrs import evolve

from newsintel.domain.search.article import ArchivedArticle, Member, Rule
from newsintel.domain.search.publisher_facts import COUNTRIES
from newsintel.http.application import create_app
from tests.http.world import NOW, Desk, World, article

THIS = evolve(
    article(3), publisher="BBC News", canonical_url="https://bbc.com/news/1", language="en"
)
OTHER = evolve(
    article(1), publisher="Der Spiegel", canonical_url="https://spiegel.de/1", country="DE"
)
TALK = evolve(article(2), publisher="r/news", canonical_url="https://reddit.com/comments/1abc")
PATH = f"/articles/{THIS.id}/coverage"


def story(*others):
    """A world whose archive has the article with these duplicates."""
    members = tuple(Member(one, Rule.TITLE, 1.0) for one in others)
    kept = ArchivedArticle(THIS, NOW, NOW, THIS.id, THIS.id, members)
    return World(desk=Desk(archived={THIS.id: kept}))


async def get(world, path=PATH):
    """Send one GET through the whole application."""
    return await create_app(world.services).test_client().get(path)


async def test_all_publishers_of_the_story_are_listed():
    """The earliest first; countries of the feed list without a report are missing."""
    response = await get(story(OTHER, TALK))
    assert response.status_code == 200
    first = {
        "publisher": "BBC News",
        "country": "GB",
        "language": "en",
        "published_at": "2026-03-01T09:00:00.000Z",
        "url": THIS.url,
    }
    assert await response.get_json() == {
        "publishers": [
            first,
            {
                "publisher": "Der Spiegel",
                "country": "DE",
                "language": "de",
                "published_at": "2026-03-01T11:00:00.000Z",
                "url": OTHER.url,
            },
        ],
        "countries": {"DE": 1, "GB": 1},
        "languages": {"de": 1, "en": 1},
        "hours": [
            {"start": "2026-03-01T09:00:00.000Z", "count": 1},
            {"start": "2026-03-01T11:00:00.000Z", "count": 1},
        ],
        "first": first,
        "missing": sorted(COUNTRIES - {"DE", "GB"}),
    }


async def test_story_of_forums_alone_has_no_publisher():
    """It is answered all the same."""
    world = story()
    world.desk.archived[THIS.id] = ArchivedArticle(TALK, NOW, NOW, TALK.id)
    body = await (await get(world)).get_json()
    assert (body["publishers"], body["first"], body["countries"]) == ([], None, {})
    assert body["missing"] == sorted(COUNTRIES)


async def test_unknown_article_is_404():
    """So is text that is no id."""
    assert (await get(World())).status_code == 404
    assert (await get(World(), "/articles/nonsense/coverage")).status_code == 404


async def test_answer_is_cached():
    """Like other answers from the archive."""
    world = story(OTHER)
    response = await get(world)
    assert response.headers["Cache-Control"] == "public, max-age=60"
    again = await get(world)
    assert again.headers["Cache-Status"].startswith("newsintel; hit")


async def test_parameters_are_refused():
    """It takes none."""
    assert (await get(story(), PATH + "?limit=1")).status_code == 400
