"""GET /articles and GET /articles/{id}: what reaches the desk, the answers, and the records."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from attrs import evolve

from newsintel.domain.operations.ports import StoreHealth
from newsintel.domain.search.article import ArchivedArticle
from newsintel.domain.search.harvest import Origin, Via
from newsintel.domain.search.outcome import Status
from newsintel.domain.search.query_model import Sort
from newsintel.errors import BusyError, FlightBugError, OverloadedError, UnavailableError
from newsintel.http.application import create_app
from tests.http.world import NOW, Desk, World, answer, article, outcome, stale
from tests.samples import read_counter


async def get(world, path, **more):
    """Send one GET through the whole application."""
    return await create_app(world.services).test_client().get(path, **more)


async def test_a_search_hands_every_parameter_to_the_desk():
    """Parameters that change the fetch arrive in the Query; a bare date is a whole UTC day."""
    world = World()
    path = (
        "/articles?q=Flood%20OR+storm&sources=guardian"
        "&from=2026-02-01&to=2026-02-02&language=EN&sort=newest"
    )
    assert (await get(world, path)).status_code == 200
    (query,) = world.desk.asked
    assert (query.text, query.sources, query.language, query.sort) == (
        "Flood OR storm",
        ("guardian",),
        "en",
        Sort.NEWEST,
    )
    assert query.start == datetime(2026, 2, 1, tzinfo=UTC)
    assert query.end == datetime(2026, 2, 2, 23, 59, 59, 999999, tzinfo=UTC)


async def test_all_sources_are_asked_by_default_in_founder_order():
    """Without `sources` every source is selected, with or without an API key."""
    world = World()
    await get(world, "/articles?q=a")
    await get(world, "/articles?q=a&sources=guardian,newsapi,guardian")
    assert [query.sources for query in world.desk.asked] == [("newsapi", "guardian")] * 2


async def test_views_do_not_change_the_query():
    """`limit`, `page`, `dedupe`, `explain` and `personal` are views of one harvest."""
    world = World()
    await get(world, "/articles?q=a")
    await get(world, "/articles?q=a&limit=1&page=2&dedupe=strict&explain=1&personal=0")
    assert world.desk.asked[0] == world.desk.asked[1]


async def test_a_page_shows_its_part_and_links_to_the_next():
    """The Link starts with PUBLIC_URL and repeats the caller's parameters, re-encoded."""
    body = await get(World(), "/articles?q=a%26b%0D%0AX&limit=2")
    assert len((await body.get_json())["articles"]) == 2
    assert (
        body.headers["Link"]
        == '<http://localhost:8000/articles?q=a%26b%0D%0AX&limit=2&page=2>; rel="next"'
    )
    last = await get(World(), "/articles?q=a&limit=2&page=2")
    assert len((await last.get_json())["articles"]) == 1
    assert "Link" not in last.headers


async def test_a_page_past_the_end_is_empty():
    """The status is 200, and the search is not recorded."""
    world = World()
    response = await get(world, "/articles?q=a&page=1000")
    assert response.status_code == 200
    assert (await response.get_json())["articles"] == []
    assert world.inbox[1].statistics().current_buffer_used == 0


async def test_explain_shows_the_parts_of_a_score():
    """`explain=1` adds `score_parts`; `explain=0` does not."""
    shown = await (await get(World(), "/articles?q=a&explain=1")).get_json()
    plain = await (await get(World(), "/articles?q=a&explain=0")).get_json()
    assert "score_parts" in shown["articles"][0]
    assert "score_parts" not in plain["articles"][0]


async def test_the_first_page_is_recorded_once():
    """Each answered search is one record; a 304, a later page or a HEAD is none."""
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


async def test_a_search_is_recorded_as_its_caller_typed_it():
    """The spelling of an earlier caller never counts, in the framework or on the hit path."""
    world = World(
        desk=Desk(made_by=lambda query: answer(evolve(query, text="fLOOD (somebody else's)")))
    )
    client = create_app(world.services).test_client()
    for minutes in (0, 2):
        world.now = NOW + timedelta(minutes=minutes)
        await client.get("/articles?q=Flood")
    assert len(world.desk.asked) == 1
    assert [world.inbox[1].receive_nowait().query for _ in range(2)] == ["Flood", "Flood"]


@pytest.mark.parametrize("closed", [False, True])
async def test_a_record_that_the_recorder_cannot_take_is_counted(closed):
    """A full or closed inbox loses the record, never the answer."""
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
async def test_when_no_source_answers_the_problem_reports_each_source(statuses, status, code):
    """All timed out: 504. All without capacity (limit, quota, circuit, load): 503. Else: 502."""
    outcomes = [
        outcome(one, source) for one, source in zip(statuses, ("guardian", "newsapi"), strict=True)
    ]
    world = World(desk=Desk(made_by=lambda query: answer(query, *outcomes, articles=0)))
    response = await get(world, "/articles?q=a")
    body = await response.get_json()
    assert (response.status_code, body["code"]) == (status, code)
    assert response.content_type == "application/problem+json"
    assert {name: report["status"] for name, report in body["sources"].items()} == dict(
        zip(("guardian", "newsapi"), statuses, strict=True)
    )
    assert ("Retry-After" in response.headers) == (status == 503)
    assert world.inbox[1].statistics().current_buffer_used == 0


@pytest.mark.parametrize(("in_s", "retry_after"), [(41.2, "42"), (-5, "1"), (None, "30")])
async def test_retry_after_is_the_earliest_retry_at(in_s, retry_after):
    """It is at least 1 s, and CACHE_PARTIAL_S if no source gave a time."""
    soon = None if in_s is None else NOW + timedelta(seconds=in_s)
    later = None if in_s is None else NOW + timedelta(hours=9)
    outcomes = [
        outcome(Status.QUOTA_EXHAUSTED, "newsapi", retry_at=later),
        outcome(Status.RATE_LIMITED, retry_at=soon),
    ]
    world = World(desk=Desk(made_by=lambda query: answer(query, *outcomes, articles=0)))
    assert (await get(world, "/articles?q=a")).headers["Retry-After"] == retry_after


async def test_matches_of_the_archive_replace_failed_sources():
    """All sources failed, but the archive had matches: the answer is a 200 and not complete."""
    made = partial(answer, origin=Origin.ARCHIVE)
    world = World(desk=Desk(made_by=lambda query: made(query, outcome(Status.TIMEOUT))))
    response = await get(world, "/articles?q=a")
    assert response.status_code == 200
    assert not (await response.get_json())["complete"]


async def test_a_stale_harvest_replaces_failed_sources():
    """All sources failed, but an older harvest exists.

    The answer is a 200 of origin `stale` that reports the failures.
    """
    world = World(desk=Desk(made_by=lambda query: stale(query, Status.TIMEOUT)))
    response = await get(world, "/articles?q=a")
    body = await response.get_json()
    assert (response.status_code, body["origin"], body["sources"]["guardian"]["status"]) == (
        200,
        "stale",
        "timeout",
    )


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
    """Each exception has its code; its text is for operators and never reaches the caller."""
    response = await get(World(desk=Desk(raises=error)), path)
    body = await response.get_data(as_text=True)
    assert (response.status_code, (await response.get_json())["code"]) == (status, code)
    assert response.headers.get("Retry-After") == retry_after
    assert str(error) not in body


async def test_an_article_has_its_leader_and_may_be_cached_shortly():
    """A shared cache may keep it for 30 s."""
    kept = ArchivedArticle(article(1), NOW, NOW, article(2).id)
    response = await get(
        World(desk=Desk(archived={article(1).id: kept})), f"/articles/{article(1).id}"
    )
    assert (await response.get_json())["leader_id"] == article(2).id
    assert response.headers["Cache-Control"] == "public, max-age=30"


@pytest.mark.parametrize("article_id", [article(1).id, "..%2f..%2fetc"])
async def test_an_unknown_article_is_404(article_id):
    """A path that leads nowhere is a 404 too."""
    response = await get(World(), f"/articles/{article_id}")
    assert (response.status_code, (await response.get_json())["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "article_id", ["a_", "a_AAAAAAAAAAAAAAAAAAAA", "nonsense", "streams", "%C3%A9", "a" * 3000]
)
async def test_an_invalid_id_is_a_404_without_asking_the_archive(article_id):
    """Ids are opaque, so the answer is the same as for an unknown id, also in an outage."""
    response = await get(
        World(desk=Desk(raises=UnavailableError("away"))), f"/articles/{article_id}"
    )
    assert (response.status_code, (await response.get_json())["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "article_id",
    ["%00", article(1).id + "%00", "%ff", article(1).id + "%0A", "%ED%A0%80", "%E2%80%AE"],
)
async def test_an_id_with_invalid_text_is_a_400(article_id):
    """The error names the parameter."""
    response = await get(
        World(desk=Desk(raises=UnavailableError("away"))), f"/articles/{article_id}"
    )
    body = await response.get_json()
    assert (response.status_code, body["code"], body["errors"][0]["field"]) == (
        400,
        "invalid_parameter",
        "id",
    )


async def test_an_invalid_request_reaches_neither_stores_nor_desk():
    """A 400 costs no look-up."""
    world = World()
    world.health.found = StoreHealth(postgresql=False, redis=False)
    assert (await get(world, "/articles?q=a&limit=0")).status_code == 400
    assert (world.desk.asked, world.health.pings) == ([], 0)


async def test_a_hit_and_its_miss_have_the_same_body():
    """On the same harvest the bodies are equal byte for byte."""
    miss, hit = [
        await get(World(desk=Desk(via=via)), "/articles?q=a") for via in (Via.MISS, Via.HIT)
    ]
    assert await miss.get_data() == await hit.get_data()
