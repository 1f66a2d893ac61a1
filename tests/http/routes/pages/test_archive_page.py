"""GET /search: passages, facets and the timeline of the archive."""

from datetime import timedelta

import pytest
from attrs import evolve

from newsintel.domain.archive.model import Bar, Bucket, Hit, Snippet
from newsintel.errors import ArchiveTimeoutError, InvalidParameterError
from newsintel.http.application import create_app
from tests.fakes.basics import MemorySearch
from tests.http.pages.parsed_page import get_page
from tests.http.world import NOW, World, article

DAY = NOW.replace(hour=0)
HITS = [
    Hit(
        evolve(article(1), language="de"),
        NOW,
        NOW,
        Snippet("Die 🙂 Flut <b>kommt", ((6, 10),)),
        article(2).id,
    ),
    Hit(evolve(article(2), description="Text", publisher="BBC News"), NOW, NOW),
    Hit(article(3), NOW, NOW, Snippet("Title 3", ((6, 7),))),
]


class FakeArchive(MemorySearch):
    """An archive that refuses some buckets, and whose counts can be away."""

    refused: frozenset[Bucket] = frozenset()
    counts_away = False

    async def count_timeline(self, query, bucket):
        if self.counts_away:
            raise ArchiveTimeoutError("too wide")
        if bucket in self.refused:
            raise InvalidParameterError("bucket", "too_many", "too many")
        return await super().count_timeline(query, bucket)

    async def count_facets(self, query):
        if self.counts_away:
            raise ArchiveTimeoutError("too wide")
        return await super().count_facets(query)


def world_of(days=5):
    """A world with three matches."""
    bars = [Bar(DAY + timedelta(days=number), number) for number in range(days)]
    return World(archive=FakeArchive(HITS, bars))


def client_of(world):
    """A client without cookies of its own."""
    return create_app(world.services).test_client(use_cookies=False)


async def test_matches_show_their_passages():
    """Highlights are cut by code points, and the text stays text."""
    page, response = await get_page(client_of(world_of()), "/search?q=flut")
    assert page.texts(".story h2") == ["Title 1", "Title 2", "Title 3"]
    assert page.texts(".about") == ["Die 🙂 Flut <b>kommt", "Text"]
    assert page.texts("mark") == ["Flut", "3"]
    assert page.attributes(".about", "lang") == ["de", None]
    assert page.attributes(".story .view", "href") == [
        f"./story/{article(number).id}" for number in (2, 2, 3)
    ]
    assert page.texts(".facet li") == ["The Guardian 3", "The Guardian 2", "BBC News 1"]
    assert "?q=flut&publisher=BBC+News" in page.attributes(".facet a", "href")
    assert page.attributes("#timeline a", "href")[0] == "?q=flut&from=2026-03-02&to=2026-03-02"
    assert response.headers["Cache-Control"] == "public, max-age=60"


async def test_the_page_shares_the_answers_of_the_api():
    """What GET /archive has just answered is not asked again."""
    world = world_of()
    client = client_of(world)
    for path in ("/archive?q=flut", "/archive/timeline?q=flut", "/archive/facets?q=flut"):
        await client.get(path)
    asked = len(world.archive.asked)
    await get_page(client, "/search?q=flut")
    assert len(world.archive.asked) == asked


async def test_pages_follow_each_other():
    """A cursor leads on; other links forget it."""
    client = client_of(world_of())
    page, _ = await get_page(client, "/search?limit=2")
    [following] = page.attributes(".pages a", "href")
    page, _ = await get_page(client, f"/search{following}")
    assert page.texts(".story h2") == ["Title 3"]
    assert page.attributes(".pages a", "href") == ["?limit=2"]
    assert not any("cursor" in link for link in page.attributes(".facet a", "href"))


@pytest.mark.parametrize(
    ("refused", "days", "asked", "drawn"),
    [
        ([], 5, [Bucket.DAY], 4),
        ([], 2, [Bucket.DAY, Bucket.HOUR], 1),
        ([Bucket.DAY], 5, [Bucket.WEEK], 4),
        ([Bucket.DAY, Bucket.WEEK], 5, [], 0),
        ([Bucket.HOUR], 2, [Bucket.DAY], 0),
    ],
)
async def test_the_timeline_has_bars_of_a_fitting_width(refused, days, asked, drawn):
    """Hours if there are few days, weeks if there are too many, else none."""
    world = world_of(days)
    world.archive.refused = frozenset(refused)
    page, response = await get_page(client_of(world), "/search")
    assert response.status_code == 200
    buckets = [one for call in world.archive.asked for one in call if isinstance(one, Bucket)]
    assert buckets == asked
    assert len(page.texts("#timeline title")) == drawn


async def test_counts_that_take_too_long_are_left_out():
    """The matches are shown."""
    world = world_of()
    world.archive.counts_away = True
    page, response = await get_page(client_of(world), "/search")
    assert (response.status_code, len(page.texts(".story"))) == (200, 3)
    assert page.texts(".facet") == page.texts("#timeline svg") == []


async def test_filters_can_be_removed():
    """The page names what it shows."""
    page, _ = await get_page(
        client_of(world_of()), "/search?publisher=BBC+News&sources=guardian&from=2026-01-01&to="
    )
    assert "Only BBC News" in page.texts(".chosen")[0]
    assert page.attributes("input[name=from]", "value") == ["2026-01-01"]
    assert page.attributes(".chosen a", "href") == ["?from=2026-01-01"]


async def test_a_search_that_takes_too_long_is_a_page():
    """It says what to change."""
    world = world_of()
    world.archive.raises = ArchiveTimeoutError("too wide")
    page, response = await get_page(client_of(world), "/search?q=a")
    assert response.status_code == 503
    assert "Narrow the query" in page.texts(".lead")[0]


async def test_an_empty_archive_says_how_it_fills():
    """And a search without matches offers the sources."""
    client = client_of(World())
    page, _ = await get_page(client, "/search")
    assert "The archive is empty" in page.texts(".empty")[0]
    page, _ = await get_page(client, "/search?q=flood")
    assert page.attributes(".empty a", "href") == ["./?q=flood"]


async def test_the_links_of_a_page_keep_its_search():
    """A reader that subscribes gets what the page shows; the sources are asked for the same."""
    world = world_of()
    client = client_of(world)
    kept = "q=title&sources=guardian&publisher=BBC&from=2026-02-01&to=2026-03-28&language=en"
    page, _ = await get_page(client, f"/search?{kept}&sort=oldest&limit=2")
    feeds = page.attributes("link[rel=alternate]", "href")
    view = "sort=oldest&limit=2"
    assert feeds == [f"./archive?{kept}&{view}&format={one}" for one in ("rss", "jsonfeed")]
    assert page.attributes(".more a", "href") == [
        "./alerts?q=title&sources=guardian&publisher=BBC&language=en",
        "./?q=title&from=2026-02-01&to=2026-03-28&language=en",
    ]
    for href in (*feeds, page.attributes(".more a", "href")[1]):
        assert (await client.get(href.removeprefix("."))).status_code == 200
    page, _ = await get_page(client, "/search")
    assert page.attributes("link[rel=alternate]", "title") == ["RSS: archive", "JSON Feed: archive"]
