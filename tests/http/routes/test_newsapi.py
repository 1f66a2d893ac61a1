"""/compat/newsapi: literal requests of its clients, and what reaches the desk and the archive."""

import json
from datetime import UTC, datetime

import pytest
from attrs import evolve

from newsintel.domain.archive.model import ArchiveQuery, Condition, Field, Hit
from newsintel.domain.bounds.slices import run_all
from newsintel.domain.feeds.model import Origin, Subscription
from newsintel.domain.search.matching import PreparedQuery
from newsintel.domain.search.merging import merge_by_mode
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Dedupe, Sort
from newsintel.http.application import create_app
from newsintel.http.bodies.newsapi_filter import ArticleFilter
from newsintel.http.routes.newsapi_articles import choose_articles
from newsintel.http.routes.newsapi_parameters import read_fields, read_sites
from tests.fakes.accounts import browser, program
from tests.fakes.basics import MemorySearch
from tests.http.middleware.test_rate_limits import limited
from tests.http.world import NOW, Desk, World, answer, article, outcome
from tests.shared import load_json, needs_shared

BASE = "/compat/newsapi/v2"
PREFIXED = "/compat/newsapi/https://newsapi.org/v2"
"""Where npm's newsapi asks if its option for a proxy is set."""


async def get(world, path, **more):
    """Send one GET through the whole application."""
    return await create_app(world.services).test_client().get(path, **more)


def archived(*articles):
    """Return a world whose archive holds these articles."""
    return World(archive=MemorySearch([Hit(one, NOW, NOW) for one in articles]))


@pytest.mark.parametrize(
    "path",
    [
        f"{BASE}/everything?q=bitcoin&sortBy=relevancy&pageSize=2&page=1",
        f"{PREFIXED}/everything?q=bitcoin&pageSize=2",
        f"{BASE}/everything?qintitle=ignored&q=bitcoin&pageSize=2",
    ],
)
async def test_everything_is_a_search(path):
    """The first is what newsapi-python sends, the second what npm's newsapi sends."""
    response = await get(World(), path, headers={"Content-Type": "Application/JSON"})
    body = await response.get_json()
    assert (response.status_code, body["status"], body["totalResults"]) == (200, "ok", 3)
    assert [one["title"] for one in body["articles"]] == ["Title 1", "Title 2"]


def test_words_are_looked_for_in_slices():
    """In one text of 2,000 characters that takes milliseconds, and a search finds hundreds."""
    merged = run_all(merge_by_mode(answer(outcome("guardian")), Dedupe.NORMAL))
    words = PreparedQuery(build_query("title", sources=()).clauses)
    work = choose_articles(merged.ranked, ArticleFilter(words=words, fields=("title",)))
    assert sum(1 for _ in work) == len(merged.ranked) > 1


async def test_every_parameter_reaches_the_desk():
    """Times without a zone are in UTC, as newsapi-python writes them."""
    world = World()
    path = f"{BASE}/everything?q=flood&from=2026-02-01T10:00:00&to=2026-02-02&language=EN"
    for sort in ("relevancy", "popularity", "publishedAt"):
        assert (await get(world, f"{path}&sortBy={sort}")).status_code == 200
    query = world.desk.asked[0]
    assert (query.text, query.language) == ("flood", "en")
    assert query.start == datetime(2026, 2, 1, 10, tzinfo=UTC)
    assert query.end == datetime(2026, 2, 2, 23, 59, 59, 999999, tzinfo=UTC)
    assert [one.sort for one in world.desk.asked] == [Sort.RELEVANCE, Sort.POPULAR, Sort.NEWEST]


async def test_parameters_without_a_value_are_absent():
    """npm's newsapi sends them for settings that are undefined; NewsAPI ignores them."""
    world = World()
    empty = "&".join(f"{name}=" for name in ("from", "to", "language", "sortBy", "pageSize"))
    found = await get(world, f"{BASE}/everything?q=flood&domains=&apiKey=&{empty}")
    assert found.status_code == 200
    (query,) = world.desk.asked
    assert (query.start, query.end, query.language) == (None, None, None)
    headlines = await get(world, f"{BASE}/top-headlines?q=flood&country=&category=&page=")
    assert headlines.status_code == 200
    nothing = await get(world, f"{BASE}/top-headlines?country=&category=&q=&sources=&language=")
    assert (await nothing.get_json())["code"] == "parametersMissing"


async def test_a_page_is_a_part_of_all_results():
    """One past the end is empty, and the number of all results stays."""
    pages = [
        await (await get(World(), f"{BASE}/everything?q=a&pageSize=2&page={page}")).get_json()
        for page in (1, 2, 3)
    ]
    assert [len(page["articles"]) for page in pages] == [2, 1, 0]
    assert {page["totalResults"] for page in pages} == {3}


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("sources=the-guardian", 3),
        ("sources=wired,bbc-news", 0),
        ("domains=example.org", 3),
        ("domains=example.com", 0),
        ("excludeDomains=example.org", 0),
        ("searchIn=title,description,content", 3),
        ("searchIn=description", 0),
        ("qInTitle=title", 3),
        ("qInTitle=absent", 0),
    ],
)
async def test_filters_choose_among_what_was_found(query, total):
    """They are no part of the search that sources are asked for."""
    world = World()
    body = await (await get(world, f"{BASE}/everything?q=title&{query}")).get_json()
    assert (body["totalResults"], len(body["articles"])) == (total, total)
    assert world.desk.asked[0].text == "title"


async def test_a_story_is_shown_by_the_article_that_is_wanted():
    """A filter on a site finds a duplicate that is not the leader of its group."""
    other = evolve(article(9), url="https://wired.com/9", publisher="Wired")

    def find(query):
        found = answer(query)
        first = found.merge.ranked[0]
        member = evolve(first.group.members[0], article=other)
        group = evolve(first.group, members=(*first.group.members, member))
        ranked = (evolve(first, group=group), *found.merge.ranked[1:])
        return evolve(found, merge=evolve(found.merge, ranked=ranked))

    world = World(desk=Desk(made_by=find))
    body = await (await get(world, f"{BASE}/everything?q=a&domains=wired.com")).get_json()
    assert [one["source"]["id"] for one in body["articles"]] == ["wired"]


async def test_without_words_the_archive_answers():
    """It has the newest articles of the publishers that are named."""
    world = archived(evolve(article(1), publisher="BBC News"), article(2))
    path = f"{BASE}/everything?sources=bbc-news&from=2026-01-01"
    response = await get(world, path)
    body = await response.get_json()
    assert [one["source"]["name"] for one in body["articles"]] == ["BBC News"]
    assert world.desk.asked == []
    query = ArchiveQuery(
        ((Condition(Field.PUBLISHER, "bbc news"),),), start=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert world.archive.asked == [(query, 100, None)]
    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert response.headers["Vary"].endswith("X-Api-Key")


async def test_a_long_archive_is_read_to_a_bound():
    """Five pages of a hundred articles, so that a request costs a bounded number of reads."""
    world = archived(*(article(number) for number in range(1, 701)))
    body = await (await get(world, f"{BASE}/everything?domains=example.org")).get_json()
    assert (body["totalResults"], len(body["articles"])) == (500, 100)
    assert len(world.archive.asked) == 5


async def test_headlines_are_the_newest():
    """With words they are a search in the order of time, without words the archive's newest."""
    world = archived(
        evolve(article(1), url="https://bbc.com/1", section="Sport"),
        evolve(article(2), url="https://bbc.com/2", section="Science"),
    )
    sport = await get(world, f"{BASE}/top-headlines?country=gb&category=sports")
    assert [one["title"] for one in (await sport.get_json())["articles"]] == ["Title 1"]
    other = await get(world, f"{BASE}/top-headlines?country=us&category=general")
    assert (await other.get_json())["totalResults"] == 0
    await get(world, f"{BASE}/top-headlines?q=flood&language=en&pageSize=3")
    assert [(one.text, one.sort, one.language) for one in world.desk.asked] == [
        ("flood", Sort.NEWEST, "en")
    ]


@pytest.mark.parametrize("path", [f"{BASE}/top-headlines/sources", f"{BASE}/sources"])
async def test_sources_are_those_of_the_feeds(path):
    """Both addresses of NewsAPI's versions answer; only the general category has any."""
    world = World()
    feeds = [Subscription("https://feeds.bbc.co.uk/a", "BBC News", "en", "GB")]
    await world.public_feeds.add_feeds(feeds, Origin.SETTING, NOW)
    for query, found in (("", 1), ("?category=general&language=en", 1), ("?category=sports", 0)):
        body = await (await get(world, path + query)).get_json()
        assert (body["status"], len(body["sources"])) == ("ok", found)


ERRORS = [
    ("everything", "parametersMissing"),
    ("everything?language=en", "parametersMissing"),
    ("everything?q=&sources=", "parametersMissing"),
    ("top-headlines", "parametersMissing"),
    ("top-headlines?pageSize=5", "parametersMissing"),
    ("top-headlines?sources=wired&country=us", "parametersIncompatible"),
    ("everything?sources=" + ",".join(f"s{number}" for number in range(21)), "sourcesTooMany"),
    ("everything?sources=what%20is%20this", "sourceDoesNotExist"),
    ("everything?q=a&pageSize=101", "parameterInvalid"),
    ("everything?q=a&pageSize=0", "parameterInvalid"),
    ("everything?q=a&page=0", "parameterInvalid"),
    ("everything?q=a&language=english", "parameterInvalid"),
    ("everything?q=a&sortBy=newest", "parameterInvalid"),
    ("everything?q=a&searchIn=body", "parameterInvalid"),
    (
        "everything?q=a&domains=" + ",".join(f"s{number}" for number in range(101)),
        "parameterInvalid",
    ),
    (
        "everything?q=a&excludeDomains=" + ",".join(f"s{number}" for number in range(101)),
        "parameterInvalid",
    ),
    ("everything?q=a&from=yesterday", "parameterInvalid"),
    ("everything?q=a&from=2026-02-30T10:00:00", "parameterInvalid"),
    ("everything?q=a&from=2026-02-02&to=2026-02-01", "parameterInvalid"),
    ("everything?q=" + "a" * 501, "parameterInvalid"),
    ("everything?q=-a", "parameterInvalid"),
    ("everything?q=a&q=b", "parameterInvalid"),
    ("top-headlines?country=US", "parameterInvalid"),
    ("top-headlines?category=weather", "parameterInvalid"),
]


@pytest.mark.parametrize(("path", "code"), ERRORS)
async def test_errors_have_newsapis_codes(path, code):
    """The status is 400, and the body is that of newsapi.org/docs/errors."""
    response = await get(World(), f"{BASE}/{path}")
    body = await response.get_json()
    assert (response.status_code, response.content_type) == (400, "application/json")
    assert (body["status"], body["code"]) == ("error", code)
    assert body["message"]


@needs_shared
async def test_missing_parameters_are_refused_in_newsapis_words():
    """The whole message is the recorded one."""
    name = "recorded/newsapi/http/400_parametersMissing_everything.json"
    recorded = load_json(name)["response"]
    response = await get(World(), f"{BASE}/everything")
    body = json.loads(await response.get_data())
    assert response.status_code == recorded["status"]
    assert {key: body[key] for key in recorded["body"]} == recorded["body"]


async def test_every_problem_is_in_newsapis_form():
    """Also those of the middleware and of the framework."""
    world = World()
    client = create_app(world.services).test_client()
    for response, status in (
        (await client.get("/compat/newsapi/v3/everything"), 404),
        (await client.post(f"{BASE}/everything"), 405),
        (await client.get(f"{BASE}/everything?q=a", headers={"Host": "else.where"}), 421),
    ):
        body = await response.get_json()
        assert (response.status_code, body["code"]) == (status, "unexpectedError")
    failing = World(
        desk=Desk(
            made_by=lambda query: answer(query, outcome(Status.TIMEOUT, "guardian"), articles=0)
        )
    )
    failed = await get(failing, f"{BASE}/everything?q=a")
    assert (failed.status_code, (await failed.get_json())["code"]) == (504, "unexpectedError")


async def test_past_the_limit_is_rate_limited():
    """The 429 says how long to wait; both limits are reported."""
    client = create_app(limited(1, misses=30).services).test_client()
    first = await client.get(f"{BASE}/everything?q=a")
    assert first.headers["RateLimit-Policy"] == '"search";q=1;w=60, "miss";q=30;w=60'
    second = await client.get(f"{BASE}/everything?q=a")
    assert (second.status_code, (await second.get_json())["code"]) == (429, "rateLimited")
    assert int(second.headers["Retry-After"]) > 0


def key_of(headers):
    """Return the key of a program's headers."""
    return headers["Authorization"].removeprefix("Bearer ")


async def test_a_key_may_stand_where_newsapi_takes_it():
    """The parameter, its header, and Authorization with or without a scheme."""
    world = World()
    key = key_of(await program(world))
    path = f"{BASE}/everything?q=flood"
    for query, headers in (
        (f"&apiKey={key}", {}),
        (f"&apikey={key}", {}),
        ("", {"X-Api-Key": key}),
        ("", {"Authorization": key}),
        ("", {"Authorization": f"Bearer {key}"}),
        (f"&apiKey={key}", {"Authorization": "Basic cHJveHk6cHJveHk="}),
    ):
        response = await get(world, path + query, headers=headers)
        assert (response.status_code, response.headers["Cache-Control"]) == (
            200,
            "private, no-store",
        ), (query, headers)
    record = world.inbox[1].receive_nowait()
    assert record.user_id is not None


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("&apiKey=0123456789abcdef0123456789abcdef", {}),
        ("", {"X-Api-Key": f"ni_{'x' * 43}"}),
        ("", {"Authorization": "0123456789abcdef0123456789abcdef"}),
        ("", {"Authorization": "Bearer x"}),
    ],
)
async def test_a_wrong_key_is_newsapis_error(query, headers):
    """A key of newsapi.org itself is one, too."""
    response = await get(World(), f"{BASE}/everything?q=a{query}", headers=headers)
    body = await response.get_json()
    assert (response.status_code, body["code"]) == (401, "apiKeyInvalid")


async def test_without_a_key_a_caller_is_anonymous():
    """So it is on GET /articles; an empty key counts as none."""
    for query in ("", "&apiKey="):
        response = await get(World(), f"{BASE}/everything?q=a{query}")
        assert response.status_code == 200
        assert response.headers["Cache-Control"].startswith("public")


async def test_other_paths_take_no_key_of_newsapis_kind():
    """There, the parameter is unknown and the header is ignored."""
    world = World()
    key = key_of(await program(world))
    assert (await get(world, f"/articles?q=a&apiKey={key}")).status_code == 400
    response = await get(world, "/articles?q=a", headers={"X-Api-Key": key})
    assert response.headers["Cache-Control"].startswith("public")


async def test_a_session_works_too():
    """A cookie identifies a person here as everywhere."""
    world = World()
    response = await get(world, f"{BASE}/everything?q=a", headers=await browser(world))
    assert response.headers["Cache-Control"] == "private, no-store"


def test_a_repeated_name_counts_once():
    """1,500 times the same field were 1.3 s of work on the loop for one search."""
    assert read_fields(",".join(["title"] * 1_500)) == ("title",)
    assert read_fields("title, TITLE,,description") == ("title", "description")
    assert read_sites("domains", ",".join(["bbc.co.uk"] * 900)) == ("bbc.co.uk",)
