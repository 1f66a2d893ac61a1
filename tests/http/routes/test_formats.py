"""`format` on GET /articles, /archive and /me/saved: headers, caches, links and errors."""

import csv
import io
from itertools import permutations

import feedparser
import httpx
import pytest

from newsintel.domain.search.harvest import Via
from newsintel.errors import UnavailableError
from newsintel.http.application import create_app
from newsintel.http.bodies.formats import MEDIA_TYPES, Format
from tests.fakes.basics import MemorySearch
from tests.http.personal_world import ONE, TWO, Person, world_with_articles
from tests.http.routes.test_archive import HITS
from tests.http.wire import serving
from tests.http.world import Desk, World
from tests.samples import read_counter

FEEDS = [one for one in Format if one is not Format.JSON]
SEARCH, ARCHIVE = "/articles?q=flood&limit=2", "/archive?q=flood&limit=2"


def filled(**more):
    """Return a world whose archive holds five articles."""
    return World(archive=MemorySearch(HITS, []), **more)


def read_ids(format_, data):
    """Return the ids of the articles in a body."""
    if format_ is Format.RSS:
        feed = feedparser.parse(data)
        assert feed.bozo == 0
        return [entry.id for entry in feed.entries]
    if format_ is Format.CSV:
        return [row["id"] for row in csv.DictReader(io.StringIO(data.decode(), newline=""))]
    name = "items" if format_ is Format.JSON_FEED else "articles"
    return [one["id"] for one in httpx.Response(200, content=data).json()[name]]


@pytest.mark.parametrize("path", [SEARCH, ARCHIVE])
@pytest.mark.parametrize("format_", Format)
async def test_every_format_lists_the_same_articles(path, format_):
    """With its Content-Type, an entity tag of its own, and the lifetime of the JSON."""
    client = create_app(filled().services).test_client()
    plain, found = await client.get(path), await client.get(f"{path}&format={format_}")
    assert found.headers["Content-Type"] == MEDIA_TYPES[format_]
    assert read_ids(format_, await found.get_data()) == read_ids(
        Format.JSON, await plain.get_data()
    )
    assert found.headers["Cache-Control"] == plain.headers["Cache-Control"]
    assert found.headers["Vary"] == plain.headers["Vary"]
    assert (found.headers["ETag"] == plain.headers["ETag"]) is (format_ is Format.JSON)


@pytest.mark.parametrize("path", [SEARCH, ARCHIVE])
@pytest.mark.parametrize("format_", Format)
async def test_a_reader_that_has_the_feed_gets_a_304(path, format_):
    """Feed readers ask again and again; the tag of another format is no match."""
    client = create_app(filled().services).test_client()
    tags = {one: (await client.get(f"{path}&format={one}")).headers["ETag"] for one in Format}
    for one, tag in tags.items():
        again = await client.get(f"{path}&format={format_}", headers={"If-None-Match": tag})
        assert again.status_code == (304 if one is format_ else 200)


async def test_formats_are_views_and_are_not_recorded():
    """No further search runs while the answer is in memory, and the history has people's alone."""
    world = World(desk=Desk(via=Via.HIT))
    client = create_app(world.services).test_client()
    for format_ in FEEDS:
        assert (await client.get(f"{SEARCH}&format={format_}")).status_code == 200
    assert len({query.key for query in world.desk.asked}) == 1
    assert world.inbox[1].statistics().current_buffer_used == 0
    await client.get(SEARCH)
    assert world.inbox[1].statistics().current_buffer_used == 1


@pytest.mark.slow
@pytest.mark.parametrize("order", [*permutations(Format, 2)], ids="-".join)
@pytest.mark.parametrize("path", [SEARCH, ARCHIVE])
@pytest.mark.parametrize("wire", [True, False])
async def test_finished_answers_are_never_mixed_up(order, path, wire):
    """On the wire path and on the hit path, whichever format was asked for first."""
    async with (
        serving(filled(), wire=wire) as served,
        httpx.AsyncClient(base_url=served.url, trust_env=False) as client,
    ):
        bodies = {one: set() for one in order}
        for one in order * 3:
            suffix = "" if one is Format.JSON else f"&format={one}"
            response = await client.get(path + suffix)
            assert response.headers["Content-Type"] == MEDIA_TYPES[one]
            bodies[one].add(response.content)
        assert [len(found) for found in bodies.values()] == [1, 1]
        if path == SEARCH:
            assert read_counter(served.world.metrics, "searches", via="hit") == 4
            assert len(served.world.desk.asked) == 2


async def test_saved_articles_leave_in_every_format():
    """They stay private, and only the table has the person's notes."""
    alice = await Person.of(world_with_articles())
    await alice.put(f"/me/saved/{ONE.id}", notes="=my secret")
    await alice.put(f"/me/saved/{TWO.id}")
    for format_ in Format:
        response = await alice.ask("GET", f"/me/saved?format={format_}")
        data = await response.get_data()
        assert response.headers["Content-Type"] == MEDIA_TYPES[format_]
        assert response.headers["Cache-Control"] == "private, no-store"
        assert set(read_ids(format_, data)) == {ONE.id, TWO.id}
        assert (b"my secret" in data) is (format_ in (Format.JSON, Format.CSV))


async def test_personal_searches_leave_in_every_format():
    """In the person's order, and for no cache."""
    alice = await Person.of(World())
    for format_ in FEEDS:
        response = await alice.ask("GET", f"{SEARCH}&format={format_}")
        assert response.headers["Content-Type"] == MEDIA_TYPES[format_]
        assert response.headers["Cache-Control"] == "private, no-store"
        assert len(read_ids(format_, await response.get_data())) == 2


@pytest.mark.parametrize(
    ("path", "following"),
    [
        (SEARCH, "http://localhost:8000/articles?q=flood&limit=2&format=rss&page=2"),
        (ARCHIVE, "http://localhost:8000/archive?q=flood&limit=2&format=rss&cursor="),
    ],
)
async def test_a_feed_links_to_itself_and_to_its_next_page(path, following):
    """As PUBLIC_URL, never as the Host of the request; the last page has no next one."""
    client = create_app(filled().services).test_client()
    url, seen = f"{path}&format=rss", []
    while url:
        assert len(seen) < 5
        feed = feedparser.parse(await (await client.get(url)).get_data())
        links = {link.rel: link.href for link in feed.feed.links}
        assert links["self"] == f"http://localhost:8000{url}"
        seen.append(links.get("next"))
        url = (seen[-1] or "").removeprefix("http://localhost:8000")
    assert seen[0].startswith(following)
    assert len(seen) > 1


async def test_two_spellings_of_one_archive_query_have_their_own_links():
    """The archive's answers are shared by meaning; the address of a feed is not."""
    client = create_app(filled().services).test_client()
    for path in ("/archive?q=flood&format=rss", "/archive?format=rss&q=%66lood"):
        feed = feedparser.parse(await (await client.get(path)).get_data())
        assert feed.feed.links[-1].href.endswith(path.replace("%66", "f"))


@pytest.mark.parametrize("format_", FEEDS)
async def test_errors_are_problem_documents(format_):
    """A reader sees the status; nothing is a feed of an error."""
    world = filled(desk=Desk(raises=UnavailableError("away")))
    world.archive.raises = UnavailableError("away")
    client = create_app(world.services).test_client()
    for path, status in (
        (SEARCH, 503),
        (ARCHIVE, 503),
        ("/articles", 400),
        ("/me/saved", 401),
        ("/archive?limit=0", 400),
    ):
        joiner = "&" if "?" in path else "?"
        response = await client.get(f"{path}{joiner}format={format_}")
        assert (response.status_code, response.content_type) == (
            status,
            "application/problem+json",
        )


@pytest.mark.parametrize("path", [SEARCH, ARCHIVE])
async def test_an_unknown_format_is_named(path):
    """The message lists the formats."""
    response = await create_app(filled().services).test_client().get(f"{path}&format=atom")
    (error,) = (await response.get_json())["errors"]
    assert (error["field"], error["code"]) == ("format", "invalid")
    assert "json, rss, jsonfeed, csv" in error["message"]


async def test_a_stream_has_one_format():
    """Its events are JSON."""
    client = create_app(World().services).test_client()
    response = await client.get("/articles/stream?q=flood&format=rss")
    assert response.status_code == 400
