"""GET /articles and GET /articles/{id}: what is asked, answered and recorded."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from attrs import evolve

from newsintel.domain.operations.ports import Stores
from newsintel.domain.search.article import ArchivedArticle
from newsintel.domain.search.harvest import Origin, Via
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.query_model import Sort
from newsintel.errors import BusyError, FlightBugError, OverloadedError, UnavailableError
from newsintel.http.application import create_app
from tests.http.world import NOW, Desk, World, answer, article, outcome, stale
from tests.samples import read_counter


async def get(world, path, **more):
    """One GET through the whole application."""
    return await create_app(world.services).test_client().get(path, **more)


async def test_a_search_hands_every_parameter_to_the_desk():
    """What changes the fetch arrives in the Query, with bare dates as whole UTC days."""
    world = World()
    path = "/articles?q=Flood%20OR+storm&sources=guardian&from=2026-02-01&to=2026-02-02&language=EN&sort=newest"
    assert (await get(world, path)).status_code == 200
    (query,) = world.desk.asked
    assert (query.text, query.sources, query.language, query.sort) == ("Flood OR storm", ("guardian",), "en", Sort.NEWEST)
    assert query.start == datetime(2026, 2, 1, tzinfo=UTC)
    assert query.end == datetime(2026, 2, 2, 23, 59, 59, 999999, tzinfo=UTC)


async def test_all_sources_are_asked_by_default_in_founder_order():
    """Without `sources` every source that exists is selected, without a key or not."""
    world = World()
    await get(world, "/articles?q=a")
    await get(world, "/articles?q=a&sources=guardian,newsapi,guardian")
    assert [query.sources for query in world.desk.asked] == [("newsapi", "guardian")] * 2


async def test_views_do_not_change_the_query():
    """limit, page, dedupe, explain and personal are views over one harvest."""
    world = World()
    await get(world, "/articles?q=a")
    await get(world, "/articles?q=a&limit=1&page=2&dedupe=strict&explain=1&personal=0")
    assert world.desk.asked[0] == world.desk.asked[1]


async def test_a_page_shows_its_part_and_links_to_the_next():
    """The Link stands on PUBLIC_URL and repeats the caller's parameters, re-encoded."""
    body = await get(World(), "/articles?q=a%26b%0D%0AX&limit=2")
    assert len((await body.get_json())["articles"]) == 2
    assert body.headers["Link"] == '<http://localhost:8000/articles?q=a%26b%0D%0AX&limit=2&page=2>; rel="next"'
    last = await get(World(), "/articles?q=a&limit=2&page=2")
    assert len((await last.get_json())["articles"]) == 1
    assert "Link" not in last.headers


async def test_a_page_past_the_end_is_empty():
    """It is 200 with no articles, and no search for the history."""
    world = World()
    response = await get(world, "/articles?q=a&page=1000")
    assert response.status_code == 200
    assert (await response.get_json())["articles"] == []
    assert world.inbox[1].statistics().current_buffer_used == 0


async def test_explain_shows_the_parts_of_a_score():
    """explain=1 adds score_parts; explain=0 does not."""
    shown = await (await get(World(), "/articles?q=a&explain=1")).get_json()
    plain = await (await get(World(), "/articles?q=a&explain=0")).get_json()
    assert "score_parts" in shown["articles"][0]
    assert "score_parts" not in plain["articles"][0]


async def test_the_first_page_is_recorded_once():
    """One record per search answered; none for a 304, a later page or a HEAD."""
    world = World()
    client = create_app(world.services).test_client()
    first = await client.get("/articles?q=Flood")
    await client.get("/articles?q=Flood", headers={"If-None-Match": first.headers["ETag"]})
    await client.get("/articles?q=Flood&page=2")
    await client.head("/articles?q=Flood")
    record = world.inbox[1].receive_nowait()
    assert (record.query, record.key, record.results_count) == ("Flood", world.desk.asked[0].key, 3)
    assert (record.searched_at, record.user_id) == (NOW, None)
    assert world.inbox[1].statistics().current_buffer_used == 0


async def test_a_search_is_recorded_as_its_own_caller_typed_it():
    """Never in the spelling of whoever asked for the same before, out of the framework or from a finished page."""
    world = World(desk=Desk(made_by=lambda query: answer(evolve(query, text="fLOOD (somebody else's)"))))
    client = create_app(world.services).test_client()
    for minutes in (0, 2):
        world.now = NOW + timedelta(minutes=minutes)
        await client.get("/articles?q=Flood")
    assert len(world.desk.asked) == 1
    assert [world.inbox[1].receive_nowait().query for _ in range(2)] == ["Flood", "Flood"]


@pytest.mark.parametrize("closed", [False, True])
async def test_a_recorder_that_takes_nothing_is_counted(closed):
    """A full or closed inbox costs the history, never the answer."""
    world = World()
    if closed:
        world.inbox[1].close()
    client = create_app(world.services).test_client()
    statuses = [(await client.get(f"/articles?q={q}")).status_code for q in "abc"]
    assert statuses == [200, 200, 200]
    assert read_counter(world.metrics, "refusals", inbox="recorder") == (3 if closed else 1)


@pytest.mark.parametrize(
    ("statuses", "status", "code"),
    [
        ((Status.TIMEOUT, Status.TIMEOUT), 504, "sources_timed_out"),
        ((Status.TIMEOUT, Status.DISABLED), 504, "sources_timed_out"),
        ((Status.RATE_LIMITED, Status.QUOTA_EXHAUSTED), 503, "busy"),
        ((Status.OVERLOADED, Status.CIRCUIT_OPEN), 503, "busy"),
        ((Status.TIMEOUT, Status.RATE_LIMITED), 502, "sources_failed"),
        ((Status.UNREACHABLE, Status.BAD_PAYLOAD), 502, "sources_failed"),
        ((Status.UNAUTHORIZED, Status.DISABLED), 502, "sources_failed"),
    ],
)
async def test_when_nothing_answered_the_problem_says_how_each_source_did(statuses, status, code):
    """All timed out: 504; all without room: 503; else 502; always with the sources block."""
    outcomes = [outcome(one, source) for one, source in zip(statuses, ("guardian", "newsapi"), strict=True)]
    world = World(desk=Desk(made_by=lambda query: answer(query, *outcomes, articles=0)))
    response = await get(world, "/articles?q=a")
    body = await response.get_json()
    assert (response.status_code, body["code"]) == (status, code)
    assert response.content_type == "application/problem+json"
    assert {name: report["status"] for name, report in body["sources"].items()} == dict(zip(("guardian", "newsapi"), statuses, strict=True))
    assert ("Retry-After" in response.headers) == (status == 503)
    assert world.inbox[1].statistics().current_buffer_used == 0


@pytest.mark.parametrize(("in_s", "retry_after"), [(41.2, "42"), (-5, "1"), (None, "30")])
async def test_retry_after_is_the_soonest_source(in_s, retry_after):
    """It counts to the earliest retry_at, at least 1 s; CACHE_PARTIAL_S where no source said."""
    soon = None if in_s is None else NOW + timedelta(seconds=in_s)
    later = None if in_s is None else NOW + timedelta(hours=9)
    outcomes = [outcome(Status.QUOTA_EXHAUSTED, "newsapi", retry_at=later), outcome(Status.RATE_LIMITED, retry_at=soon)]
    world = World(desk=Desk(made_by=lambda query: answer(query, *outcomes, articles=0)))
    assert (await get(world, "/articles?q=a")).headers["Retry-After"] == retry_after


async def test_the_archive_can_stand_in():
    """All sources failed but the archive had matches: 200, not complete."""
    made = partial(answer, origin=Origin.ARCHIVE)
    world = World(desk=Desk(made_by=lambda query: made(query, outcome(Status.TIMEOUT))))
    response = await get(world, "/articles?q=a")
    assert response.status_code == 200
    assert not (await response.get_json())["complete"]


async def test_a_stale_harvest_can_stand_in():
    """All sources failed but an older harvest was there: 200, origin stale, the refusals reported."""
    world = World(desk=Desk(made_by=lambda query: stale(query, Status.TIMEOUT)))
    response = await get(world, "/articles?q=a")
    body = await response.get_json()
    assert (response.status_code, body["origin"], body["sources"]["guardian"]["status"]) == (200, "stale", "timeout")


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (OverloadedError("full"), 503, "busy", "1"),
        (BusyError("no slot"), 503, "busy", "1"),
        (UnavailableError("postgresql://u:p@h refused"), 503, "archive_timeout", "1"),
        (FlightBugError("incident 7"), 500, "internal", None),
        (KeyError("secret"), 500, "internal", None),
    ],
)
@pytest.mark.parametrize("path", ["/articles?q=a", "/articles/" + article(1).id])
async def test_exceptions_of_the_desk_become_problems(path, error, status, code, retry_after):
    """Each has its code; none of their text, which is for operators, reaches the caller."""
    response = await get(World(desk=Desk(raises=error)), path)
    body = await response.get_data(as_text=True)
    assert (response.status_code, (await response.get_json())["code"]) == (status, code)
    assert response.headers.get("Retry-After") == retry_after
    assert str(error) not in body


async def test_one_article_by_its_id():
    """It has its content and its times; a shared cache may keep it for a short while."""
    kept = ArchivedArticle(article(1), NOW, NOW, article(2).id)
    response = await get(World(desk=Desk(archived={article(1).id: kept})), f"/articles/{article(1).id}")
    assert (await response.get_json())["leader_id"] == article(2).id
    assert response.headers["Cache-Control"] == "public, max-age=30"


@pytest.mark.parametrize("article_id", [article(1).id, "..%2f..%2fetc"])
async def test_an_unknown_article_is_404(article_id):
    """So is an address that leads nowhere."""
    response = await get(World(), f"/articles/{article_id}")
    assert (response.status_code, (await response.get_json())["code"]) == (404, "not_found")


@pytest.mark.parametrize("article_id", ["a_", "a_AAAAAAAAAAAAAAAAAAAA", "nonsense", "stream", "%C3%A9", "a" * 3000])
async def test_what_is_no_id_is_never_asked_of_the_archive(article_id):
    """An id is opaque: text that is none is a 404 like one that is unknown, even while the archive is away."""
    response = await get(World(desk=Desk(raises=UnavailableError("away"))), f"/articles/{article_id}")
    assert (response.status_code, (await response.get_json())["code"]) == (404, "not_found")


@pytest.mark.parametrize("article_id", ["%00", article(1).id + "%00", "%ff", article(1).id + "%0A", "%ED%A0%80", "%E2%80%AE"])
async def test_what_is_no_text_is_a_400(article_id):
    """It names the parameter."""
    response = await get(World(desk=Desk(raises=UnavailableError("away"))), f"/articles/{article_id}")
    body = await response.get_json()
    assert (response.status_code, body["code"], body["errors"][0]["field"]) == (400, "invalid_parameter", "id")


async def test_stores_and_desk_are_untouched_by_a_wrong_request():
    """A 400 costs no look-up."""
    world = World()
    world.health.found = Stores(postgresql=False, redis=False)
    assert (await get(world, "/articles?q=a&limit=0")).status_code == 400
    assert (world.desk.asked, world.health.pings) == ([], 0)


async def test_a_hit_is_served_like_its_miss():
    """The bodies of a miss and of a hit on the same harvest are equal, byte for byte."""
    miss, hit = [await get(World(desk=Desk(via=via)), "/articles?q=a") for via in (Via.MISS, Via.HIT)]
    assert await miss.get_data() == await hit.get_data()
