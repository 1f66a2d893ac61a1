"""The simulated search of Hacker News, GDELT's DOC API, and the news that keeps arriving."""

from datetime import timedelta

import httpx
import pytest
import trio

from newsintel.config.reading import read_settings
from newsintel.demo.api import Clocks
from newsintel.demo.arrivals import EVERY_S, MOST_KEPT, Arrivals
from newsintel.demo.corpus import build_corpus
from newsintel.demo.gdelt import PARENTHESES, TOO_FAST, TOO_SHORT
from newsintel.demo.gdelt_rows import make_gdelt_documents
from newsintel.demo.hackernews_rows import make_hackernews_documents
from newsintel.demo.matching import GDELT, HACKER_NEWS, fold_text, parse_query
from newsintel.demo.server import Simulated, _build_arrivals
from newsintel.domain.search.outcome import SourcePage
from newsintel.domain.search.query import ANY_QUERY, build_query
from newsintel.domain.search.query_model import Sort
from newsintel.outbound.sources import REGISTRY
from newsintel.outbound.sources.source import Request, Response
from tests.demo.conftest import NOW, Get

SPAN = timedelta(days=30)


@pytest.fixture
async def fetch(simulated: Simulated, client: httpx.AsyncClient) -> Get:
    """Sends a request to one of the two APIs."""

    async def get(name: str, path: str, **params: object) -> httpx.Response:
        return await client.get(simulated.base_urls[name] + path, params=dict(params))

    return get


async def search(
    simulated: Simulated, client: httpx.AsyncClient, name: str, text: str, **more: object
) -> SourcePage:
    """What our own adapter reads of the simulated API."""
    source = REGISTRY[name]
    settings = read_settings([source.options], simulated.environ).source[name]
    query = build_query(text, sources=(name,), **more)
    request = source.build_request(query, settings, "", NOW + timedelta(minutes=1))
    assert isinstance(request, Request)
    reply = await client.get(settings.url + request.path, params=request.params)
    found = source.read(Response(reply.status_code, dict(reply.headers), reply.content), query, NOW)
    assert isinstance(found, SourcePage)
    return found


@pytest.mark.parametrize("name", ["hackernews", "gdelt"])
@pytest.mark.parametrize(
    "text", ["climate", '"neural networks"', "chips -football", "energy space"]
)
async def test_our_adapter_reads_the_simulation(
    simulated: Simulated, client: httpx.AsyncClient, name: str, text: str
) -> None:
    """Each row becomes an article within the time of the news, in every order."""
    for sort in Sort:
        page = await search(simulated, client, name, text, sort=sort)
        assert not page.dropped
        assert all(NOW - SPAN < one.published_at <= NOW for one in page.articles)
        if sort is Sort.NEWEST:
            dates = [one.published_at for one in page.articles]
            assert dates == sorted(dates, reverse=True) or name == "gdelt"
        if text != "energy space":
            assert len(page.articles) > 3


async def test_bounds_are_applied(simulated: Simulated, client: httpx.AsyncClient) -> None:
    """Both APIs take a first and a last moment."""
    start, end = NOW - timedelta(days=3), NOW - timedelta(days=1)
    for name in ("hackernews", "gdelt"):
        page = await search(simulated, client, name, "climate", start=start, end=end)
        everything = await search(simulated, client, name, "climate")
        assert 0 < page.returned < everything.returned
        assert set(page.dropped) <= {"out_of_range"}  # GDELT's grid of 15 minutes


async def test_hacker_news_has_discussions_and_questions(
    simulated: Simulated, client: httpx.AsyncClient
) -> None:
    """Some posts link to an outlet, some are questions at their own address."""
    pages = [
        await search(simulated, client, "hackernews", word)
        for word in ("climate", "health", "chips", "space", "beginners")
    ]
    found = {one.external_id: one for page in pages for one in page.articles}
    publishers = {one.publisher for one in found.values()}
    assert "Hacker News" in publishers
    assert any(name.endswith(".example") for name in publishers)
    assert all(one.engagement and one.engagement.points > 0 for one in found.values())


@pytest.mark.parametrize("name", ["reddit", "guardian"])
async def test_archived_items_can_be_checked(
    simulated: Simulated, client: httpx.AsyncClient, token: str, name: str
) -> None:
    """Reddit's posts by their names, the Guardian's articles by their ids.

    What was removed or never existed is not in the page.
    """
    source = REGISTRY[name]
    assert source.recheck
    settings = read_settings([source.options], simulated.environ).source[name]
    documents = getattr(build_corpus(NOW, 1), name)[:60]
    rows = [one.row.get("data", one.row) for one in documents]
    ids = [str(row.get("name") or row["id"]) for row in rows]
    unknown = "t3_zzzzzz" if name == "reddit" else "world/none"
    credential = token if name == "reddit" else settings.values["key"].reveal()
    request = source.recheck.build_request([*ids[:49], unknown], settings, credential)
    headers = {"User-Agent": "web:demo:v1 (by /u/demo)"} | dict(request.headers)
    reply = await client.get(settings.url + request.path, params=request.params, headers=headers)
    response = Response(reply.status_code, dict(reply.headers), reply.content)
    found = source.read(response, ANY_QUERY, NOW)
    assert isinstance(found, SourcePage)
    names = {one.external_id for one in found.articles}
    assert names <= set(ids[:49])
    allowed = [
        row
        for row in rows[:49]
        if not (row.get("removed_by_category") or row.get("over_18") or row.get("isHosted"))
    ]
    assert names == {
        str(row.get("name") or row["id"])
        for row in allowed
        if ("title" in row and "display_name" not in row) or "webTitle" in row
    }
    assert set(found.dropped) <= {"removed", "nsfw", "promoted", "not_a_post"}


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/api/v1/search", {"hitsPerPage": 1001}, 400),
        ("/api/v1/search", {"hitsPerPage": "x"}, 400),
        ("/api/v1/search", {"page": -1}, 400),
        ("/api/v1/search", {"numericFilters": "points>100"}, 400),
        ("/api/v1/items/1", {}, 404),
        ("/api/v1/search", {"hitsPerPage": 0}, 200),
    ],
)
async def test_hacker_news_refuses_what_it_does_not_know(
    fetch: Get, path: str, params: dict, status: int
) -> None:
    """Errors have a message. A filter by points is sometimes refused by the real API, too."""
    reply = await fetch("hackernews", path, **params)
    assert reply.status_code == status
    assert ("message" in reply.json()) == (status != 200)


async def test_hacker_news_pages(fetch: Get) -> None:
    """Pages count from 0; 20 posts by default."""
    pages = [
        (await fetch("hackernews", "/api/v1/search", page=page)).json() for page in (0, 1, 999)
    ]
    assert [len(page["hits"]) for page in pages] == [20, 20, 0]
    assert pages[0]["hits"] != pages[1]["hits"]
    assert pages[0]["nbPages"] == -(-pages[0]["nbHits"] // 20)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("AI", f"{TOO_SHORT}: (AI)"),
        ('"that"', TOO_SHORT),
        ("", TOO_SHORT),
        ("(climate)", PARENTHESES),
        ("(climate change)", PARENTHESES),
        ("climate sourcelang:german", "{}"),
    ],
)
async def test_gdelt_says_errors_as_text(fetch: Get, text: str, said: str) -> None:
    """With HTTP 200 and the media type of JSON, as the real API does."""
    reply = await fetch("gdelt", "/api/v2/doc/doc", query=text, format="json")
    assert (reply.status_code, reply.headers["content-type"]) == (
        200,
        "application/json; charset=utf-8",
    )
    assert reply.text.startswith(said)


async def test_gdelt_refuses_bad_dates_and_paths(fetch: Get) -> None:
    """Dates are 14 digits."""
    bad = await fetch("gdelt", "/api/v2/doc/doc", query="climate", startdatetime="yesterday")
    assert bad.text == "Invalid query start date."
    assert (await fetch("gdelt", "/api/v2/geo/geo", query="climate")).status_code == 404


async def test_limits_are_those_of_the_real_apis(fetch: Get, control: Get) -> None:
    """GDELT takes one call in five seconds; its refusal is plain text."""
    await control("gdelt", limited=True)
    await control("hackernews", limited=True)
    first = await fetch("gdelt", "/api/v2/doc/doc", query="climate")
    second = await fetch("gdelt", "/api/v2/doc/doc", query="climate")
    assert (first.status_code, second.status_code, second.text) == (200, 429, TOO_FAST)
    assert (await fetch("hackernews", "/api/v1/search", query="climate")).status_code == 200


@pytest.mark.parametrize("name", ["hackernews", "gdelt"])
@pytest.mark.parametrize("status", [401, 429, 500])
async def test_refusals_can_be_injected(fetch: Get, control: Get, name: str, status: int) -> None:
    """As for every simulated API."""
    await control(name, fault=str(status))
    paths = {"hackernews": "/api/v1/search", "gdelt": "/api/v2/doc/doc"}
    assert (await fetch(name, paths[name], query="climate")).status_code == status


@pytest.mark.parametrize(
    ("query", "gdelt", "hackernews"),
    [
        ("neural storm", True, True),
        ("neural (zebra OR storm)", True, False),
        ("neural OR zebra", True, False),
        ("neural -storm", False, False),
        ("neural AND storm", False, False),
        ('"neural network"', True, True),
    ],
)
def test_query_languages_differ(query: str, *, gdelt: bool, hackernews: bool) -> None:
    """Hacker News has no operators; AND is a word to both."""
    text = fold_text("Scientists' neural networks beat the storm forecast")
    assert parse_query(query, GDELT).matches(text) == gdelt
    assert parse_query(query, HACKER_NEWS).matches(text) == hackernews


def test_corpora_without_keys_leave_the_others_unchanged() -> None:
    """They are drawn with dice of their own, and equal arguments give equal corpora."""
    corpus = build_corpus(NOW, 0)
    assert (corpus.hackernews, corpus.gdelt) == (
        build_corpus(NOW, 0).hackernews,
        build_corpus(NOW, 0).gdelt,
    )
    assert len(corpus.hackernews) > 100
    assert len(corpus.gdelt) > 300


async def test_news_keeps_arriving(autojump_clock: trio.testing.MockClock) -> None:
    """One story a minute, none before its time; both APIs report the same ones."""
    clocks = Clocks(NOW, trio.current_time)
    worlds = [
        _build_arrivals(clocks, 7, make)
        for make in (make_hackernews_documents, make_gdelt_documents)
    ]
    assert [world.list_documents() for world in worlds] == [(), ()]
    await trio.sleep(60 * EVERY_S)
    posts, pages = (world.list_documents() for world in worlds)
    assert 10 < len(posts) < 60 < len(pages)
    assert {one.story for one in posts} - {""} <= set(_tell(clocks, 60))
    assert all(NOW < one.at <= world.now for world in worlds for one in world.list_documents())
    await trio.sleep(EVERY_S)
    later = worlds[1].list_documents()
    assert later[: len(pages)] == pages
    await trio.sleep(80_000)
    assert len(worlds[1].list_documents()) == MOST_KEPT


def _tell(clocks: Clocks, number: int) -> list[str]:
    told: list[str] = []
    began = Clocks(clocks.now, iter([0.0, number * EVERY_S]).__next__)

    def note(story):
        told.append(story.name)
        return ()

    Arrivals(began, 7, note).list_documents()
    assert len(set(told)) == number
    return told
