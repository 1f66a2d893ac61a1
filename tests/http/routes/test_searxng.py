"""/compat/searxng: literal requests of its clients, and what reaches the desk."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import feedparser
import pytest

from newsintel.domain.search.outcome import Status
from newsintel.errors import BusyError
from newsintel.http.application import create_app
from tests.fakes.accounts import browser, program
from tests.http.middleware.test_rate_limits import limited
from tests.http.world import Desk, World, answer, outcome

PATH = "/compat/searxng/search"
PATHS = (PATH, "/compat/searxng/", "/compat/searxng")

LANGCHAIN = "/compat/searxng/search?language=en&format=json&q=climate+change"
"""What LangChain's SearxSearchWrapper sends."""
MCP = "/compat/searxng/search?q=climate+change&format=json&pageno=1&language=all&safesearch=0"
"""What npm's mcp-searxng sends."""
OPEN_WEBUI = (
    "/compat/searxng/search?q=climate+change&format=json&pageno=1&safesearch=1&language=en-US"
    "&time_range=&categories=&theme=simple&image_proxy=0"
)
"""What Open WebUI sends."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def get(world, path, **more):
    """Send one GET through the whole application."""
    return await create_app(world.services).test_client().get(path, **more)


@pytest.mark.parametrize(("path", "language"), [(LANGCHAIN, "en"), (MCP, None), (OPEN_WEBUI, "en")])
async def test_requests_of_clients_are_searches(path, language):
    """Parameters that have no meaning here are ignored, as SearXNG ignores unknown ones."""
    world = World()
    response = await get(world, path, headers={"Accept": "*/*", "User-Agent": "x"})
    assert response.status_code == 200
    assert response.content_type == "application/json"
    body = await response.get_json()
    assert (body["query"], len(body["results"])) == ("climate change", 3)
    (query,) = world.desk.asked
    assert (query.text, query.language, query.start) == ("climate change", language, None)


async def test_every_path_and_method_answers_alike():
    """SearXNG's documentation has GET and POST at / and at /search; people leave out the slash."""
    world = World()
    client = create_app(world.services).test_client()
    bodies = [await (await client.get(f"{path}?q=a&format=json")).get_data() for path in PATHS] + [
        await (await client.post(path, data=b"q=a&format=json&theme=x", headers=FORM)).get_data()
        for path in PATHS
    ]
    assert len(set(bodies)) == 1
    assert len(set(world.desk.asked)) == 1


@pytest.mark.parametrize(
    ("time_range", "start"),
    [
        ("day", datetime(2026, 2, 28, 12, tzinfo=UTC)),
        ("week", datetime(2026, 2, 22, 12, tzinfo=UTC)),
        ("month", datetime(2026, 1, 30, 12, tzinfo=UTC)),
        ("year", datetime(2025, 3, 1, 12, tzinfo=UTC)),
    ],
)
async def test_a_time_range_begins_at_a_whole_hour(time_range, start):
    """Else no two searches would share an answer."""
    world = World()
    world.now = world.now.replace(minute=47, second=3)
    await get(world, f"{PATH}?q=a&format=json&time_range={time_range}")
    assert world.desk.asked[0].start == start


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("zh_Hans_CN", "zh"),
        ("all", None),
        ("auto", None),
        ("", None),
        ("fil", None),
    ],
)
async def test_a_language_may_have_a_region(tag, language):
    """Languages of three letters have no two-letter code, so every language is asked."""
    world = World()
    assert (await get(world, f"{PATH}?q=a&format=json&language={tag}")).status_code == 200
    assert world.desk.asked[0].language == language


async def test_categories_and_engines_choose_sources():
    """See `choose_sources` for the rules."""
    world = World()
    await get(world, f"{PATH}?q=a&format=json&engines=guardian,google")
    await get(world, f"{PATH}?q=a&format=json&categories=news")
    assert [query.sources for query in world.desk.asked] == [
        ("guardian",),
        ("newsapi", "guardian"),
    ]


async def test_a_post_may_have_its_parameters_in_both_places():
    """SearXNG reads the query string beside the form; the form wins, and may be absent."""
    world = World()
    client = create_app(world.services).test_client()
    path = f"{PATH}?q=a&format=json&pageno=2&theme=x"
    both = await client.post(path, data=b"q=b&safesearch=1", headers=FORM)
    alone = await client.post(path)
    assert [(one.status_code, (await one.get_json())["query"]) for one in (both, alone)] == [
        (200, "b"),
        (200, "a"),
    ]
    untyped = await client.post(path, data=b"q=b")
    json = await client.post(path, data=b"{}", headers={"Content-Type": "application/json"})
    assert (untyped.status_code, json.status_code) == (415, 415)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_parameters_without_a_value_are_absent(method):
    """Programs send the settings that they do not use; those in Python write `None`."""
    world = World()
    text = "q=a&format=json&pageno=&safesearch=&categories=&engines=&language="
    client = create_app(world.services).test_client()
    for time_range in ("", "None"):
        sent = f"{text}&time_range={time_range}"
        if method == "GET":
            response = await client.get(f"{PATH}?{sent}")
        else:
            response = await client.post(PATH, data=sent.encode(), headers=FORM)
        assert response.status_code == 200
    assert {(query.text, query.language, query.start) for query in world.desk.asked} == {
        ("a", None, None)
    }


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("pageno=0", "pageno"),
        ("pageno=x", "pageno"),
        ("time_range=hour", "time_range"),
        ("language=English", "language"),
        ("safesearch=3", "safesearch"),
        ("format=csv", "format"),
    ],
)
async def test_what_searxng_refuses_is_refused(wrong, field):
    """The error names the parameter, in a problem and in SearXNG's own member."""
    given = wrong if "format" in wrong else f"{wrong}&format=json"
    response = await get(World(), f"{PATH}?q=a&{given}")
    body = await response.get_json()
    assert (response.status_code, body["errors"][0]["field"]) == (400, field)
    assert body["error"] == body["detail"]
    assert field in body["error"]
    assert "one of ," not in body["error"]


@pytest.mark.parametrize("query", ["format=json", "format=json&q=", "format=rss&q=%20"])
async def test_a_search_needs_words(query):
    """SearXNG answers 400 too."""
    assert (await get(World(), f"{PATH}?{query}")).status_code == 400


async def test_html_leads_to_the_page_for_people():
    """The page searches; the door does not."""
    world = World()
    response = await get(
        world, "/compat/searxng/?q=a+%26+b&language=de-AT&pageno=2&engines=guardian&time_range=day"
    )
    assert response.status_code == 303
    assert response.headers["Location"] == (
        "http://localhost:8000/?q=a+%26+b&page=2&sources=guardian&language=de"
        "&from=2026-02-28T12%3A00%3A00Z"
    )
    assert (await get(world, "/compat/searxng/")).headers["Location"] == "http://localhost:8000/"
    assert (await get(world, f"{PATH}?q=a")).headers["Location"] == "http://localhost:8000/?q=a"
    assert world.desk.asked == []


async def test_rss_is_a_feed():
    """The judge is feedparser."""
    response = await get(World(), f"{PATH}?q=flood&format=rss")
    assert response.content_type.startswith("application/rss+xml")
    feed = feedparser.parse(await response.get_data())
    assert not feed.bozo
    assert [entry.title for entry in feed.entries] == ["Title 1", "Title 2", "Title 3"]
    assert feed.feed.link == "http://localhost:8000/?q=flood"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_feed_links_to_the_same_search(method):
    """A reader that follows the link to itself gets the same articles."""
    asked = {
        "q": "flood & קטר",
        "format": "rss",
        "engines": "guardian",
        "language": "de-AT",
        "pageno": "1",
        "time_range": "week",
    }
    world = World()
    client = create_app(world.services).test_client()
    if method == "GET":
        first = await client.get(f"{PATH}?{urlencode(asked)}")
    else:
        first = await client.post(PATH, data=urlencode(asked).encode(), headers=FORM)
    feed = feedparser.parse(await first.get_data()).feed
    (own,) = [link.href for link in feed.links if link.rel == "self"]
    again = await client.get(own.removeprefix("http://localhost:8000"))
    assert await again.get_data() == await first.get_data()
    assert len(set(world.desk.asked)) == 1


async def test_sources_that_all_failed_are_no_empty_answer():
    """The status is that of GET /articles, and the reports are there."""
    world = World(
        desk=Desk(
            made_by=lambda query: answer(query, outcome(Status.TIMEOUT, "guardian"), articles=0)
        )
    )
    response = await get(world, f"{PATH}?q=a&format=json")
    body = await response.get_json()
    assert response.status_code == 504
    assert body["sources"]["guardian"]["status"] == "timeout"
    assert body["error"]


async def test_suggestions_are_related_searches():
    """They come with the first page; while the stores are away there are none."""
    world = World()

    async def find_related(*_args, **_more):
        raise BusyError("postgresql is busy")

    world.kinship.find_related = find_related
    response = await get(world, f"{PATH}?q=a&format=json")
    assert (await response.get_json())["suggestions"] == []
    second = await get(world, f"{PATH}?q=a&format=json&pageno=2")
    assert (await second.get_json())["suggestions"] == []


async def test_a_search_is_recorded_once_for_its_person():
    """Only the first page of JSON is, as for GET /articles; preferences may forbid it."""
    world = World()
    account = await program(world)
    client = create_app(world.services).test_client()
    await client.get(f"{PATH}?q=flood&format=json", headers=account)
    await client.get(f"{PATH}?q=flood&format=json&pageno=2", headers=account)
    await client.get(f"{PATH}?q=flood&format=rss", headers=account)
    record = world.inbox[1].receive_nowait()
    assert (record.query, record.results_count, record.user_id is None) == ("flood", 3, False)
    assert world.inbox[1].statistics().current_buffer_used == 0


async def test_a_signed_in_persons_answer_is_kept_by_no_cache():
    """It has no entity tag either. Anonymous answers have both."""
    world = World()
    private = await get(world, f"{PATH}?q=a&format=json", headers=await browser(world))
    public = await get(world, f"{PATH}?q=a&format=json")
    assert private.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in private.headers
    assert public.headers["Cache-Control"].startswith("public, max-age=300")
    again = await get(
        world, f"{PATH}?q=a&format=json", headers={"If-None-Match": public.headers["ETag"]}
    )
    assert again.status_code == 304


async def test_a_page_of_another_site_cannot_post_for_a_person():
    """A POST with a session must come from a page of this service."""
    world = World()
    headers = FORM | await browser(world) | {"Sec-Fetch-Site": "cross-site"}
    response = (
        await create_app(world.services)
        .test_client()
        .post(PATH, data=b"q=a&format=json", headers=headers)
    )
    assert response.status_code == 403
    assert world.desk.asked == []


async def test_a_bad_key_is_refused():
    """So it is on every route."""
    wrong = {"Authorization": f"Bearer ni_{'x' * 43}"}
    assert (await get(World(), f"{PATH}?q=a&format=json", headers=wrong)).status_code == 401


async def test_both_limits_hold_and_are_reported():
    """Past the limit, the 429 has the member that clients of SearXNG read."""
    client = create_app(limited(1, misses=30).services).test_client()
    first = await client.get(f"{PATH}?q=a&format=json")
    assert first.headers["RateLimit-Policy"] == '"search";q=1;w=60, "miss";q=30;w=60'
    second = await client.get(f"{PATH}?q=a&format=json")
    assert second.status_code == 429
    assert int(second.headers["Retry-After"]) > 0
    assert (await second.get_json())["error"]
