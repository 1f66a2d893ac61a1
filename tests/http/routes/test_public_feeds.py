"""GET /feeds.opml, as the specification wants it, and read back by our own reader of lists."""

from xml.etree import ElementTree as ET

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.feeds.model import Origin, Subscription
from newsintel.http.application import create_app
from newsintel.http.bodies.opml import build_opml
from newsintel.outbound.sources.feeds.default_list import load_default_feeds
from newsintel.outbound.sources.feeds.opml import read_opml
from tests.http.world import NOW, World

ODD = Subscription(
    "https://x.example/a&b",
    'The "<Ö>" & Co\x08',
    "de",
    "AT",
    "Free",
    state_media=True,
    title="مصر 東京 🗞",
)


async def get(*feeds, **headers):
    """The answer of a service that reads these feeds."""
    world = World()
    await world.public_feeds.add_feeds(feeds, Origin.SETTING, NOW)
    client = create_app(world.services).test_client()
    return await client.get("/feeds.opml", headers=headers), client


async def test_the_list_is_opml_2():
    """The elements and attributes that the specification requires of subscription lists."""
    response, _ = await get(ODD, *load_default_feeds())
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/x-opml; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    root = ET.fromstring(await response.get_data())  # noqa: S314 - our own
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert [child.tag for child in root] == ["head", "body"]
    outlines = root.findall("body/outline")
    assert len(outlines) == len(load_default_feeds()) + 1
    assert all(one.get("type") == "rss" and one.get("text") for one in outlines)


async def test_the_list_comes_back_as_it_was():
    """All that is known of each feed, with texts of the world."""
    response, _ = await get(ODD, Subscription("https://y.example/"))
    found = run_all(read_opml(await response.get_data()))
    assert found[0].publisher == 'The "<Ö>" & Co'
    assert (found[0].title, found[0].state_media) == ("مصر 東京 🗞", True)
    assert (found[0].language, found[0].country, found[0].licence) == ("de", "AT", "Free")
    assert found[1].title == "https://y.example/"
    assert run_all(read_opml(run_all(build_opml(load_default_feeds())))) == load_default_feeds()


def test_a_long_list_is_written_in_slices():
    """A service may have ten thousand feeds, and everybody may ask for the list."""
    feeds = [Subscription(f"https://{number}.example/feed") for number in range(1_000)]
    assert sum(1 for _ in build_opml(feeds)) == len(feeds)
    assert len(run_all(read_opml(run_all(build_opml(feeds))))) == len(feeds)


async def test_addresses_that_may_hold_a_secret_are_left_out():
    """A query may be a token."""
    response, _ = await get(Subscription("https://x.example/feed?token=abc"))
    assert b"token" not in await response.get_data()


async def test_an_unchanged_list_is_not_sent_again():
    """By its entity tag."""
    response, client = await get(ODD)
    tag = response.headers["ETag"]
    again = await client.get("/feeds.opml", headers={"If-None-Match": tag})
    assert again.status_code == 304


async def test_without_the_database_there_is_no_list():
    """The caller may try again."""
    world = World()
    world.public_feeds.away = True
    response = await create_app(world.services).test_client().get("/feeds.opml")
    assert response.status_code == 503
