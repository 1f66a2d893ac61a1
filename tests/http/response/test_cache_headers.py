"""The headers of a search answer."""

from datetime import timedelta

import pytest
from attrs import evolve

from newsintel.domain.search.harvest import Origin, Via
from newsintel.domain.search.outcome import HeldFrom, Status
from newsintel.http.application import create_app
from tests.http.world import NOW, Desk, World, answer, outcome, stale
from tests.samples import read_samples

PARTIAL = (outcome(), outcome(Status.TIMEOUT, "newsapi", latency_ms=1000.0))


async def headers_of(made_by=answer, via=Via.MISS, after_s=0.0, path="/articles?q=a", **more):
    """Return the headers of a search that is answered `after_s` seconds after its fetch."""
    world = World(desk=Desk(via=via, made_by=made_by), now=NOW + timedelta(seconds=after_s))
    return (await create_app(world.services).test_client().get(path, **more)).headers


@pytest.mark.parametrize(
    ("via", "after_s", "made_by", "expected"),
    [
        (Via.MISS, 0, answer, "newsintel; fwd=miss"),
        (Via.COLLAPSED, 0, answer, "newsintel; fwd=miss; collapsed"),
        (Via.HIT, 28, answer, "newsintel; hit; ttl=272"),
        (Via.HIT, 27.2, answer, "newsintel; hit; ttl=272"),
        (Via.REVALIDATED, 341, answer, "newsintel; hit; ttl=-41"),
        (Via.HIT, 10, lambda query: answer(query, *PARTIAL), "newsintel; hit; ttl=20"),
        (
            Via.MISS,
            0,
            lambda query: stale(query, Status.TIMEOUT, Status.TIMEOUT),
            "newsintel; fwd=stale; fwd-status=504",
        ),
        (
            Via.COLLAPSED,
            0,
            lambda query: stale(query, Status.TIMEOUT, Status.UNREACHABLE),
            "newsintel; fwd=stale; fwd-status=502",
        ),
        (
            Via.MISS,
            0,
            lambda query: stale(query, Status.RATE_LIMITED, Status.OVERLOADED),
            "newsintel; fwd=stale; fwd-status=503",
        ),
        (Via.HIT, 12, lambda query: stale(query, Status.TIMEOUT), "newsintel; hit; ttl=18"),
    ],
)
async def test_cache_status_says_where_the_answer_came_from(via, after_s, made_by, expected):
    """It also says how long the answer is still fresh (RFC 9211)."""
    assert (await headers_of(made_by, via, after_s))["Cache-Status"] == expected


@pytest.mark.parametrize(
    ("via", "made_by", "word"),
    [
        (Via.MISS, answer, "miss"),
        (Via.COLLAPSED, answer, "collapsed"),
        (Via.HIT, answer, "hit"),
        (Via.REVALIDATED, answer, "revalidated"),
        (Via.MISS, lambda query: stale(query, Status.TIMEOUT), "stale"),
        (Via.COLLAPSED, lambda query: answer(query, origin=Origin.ARCHIVE), "archive"),
        (Via.MISS, lambda query: answer(query, outcome(Status.TIMEOUT), articles=0), "failed"),
    ],
)
async def test_each_search_is_counted_by_the_kind_of_its_answer(via, made_by, word):
    """It counts once, whatever its result."""
    world = World(desk=Desk(via=via, made_by=made_by))
    await create_app(world.services).test_client().get("/articles?q=a")
    values = {
        key: value
        for key, value in read_samples(world.metrics).items()
        if key[0] == "newsintel_searches_total"
    }
    assert values == {("newsintel_searches_total", (("via", word),)): 1}


ALWAYS = "stale-while-revalidate=60, stale-if-error=3600"


@pytest.mark.parametrize(
    ("made_by", "after_s", "age", "control", "accel"),
    [
        (answer, 0, "0", "public, max-age=300", "300"),
        (answer, 28.5, "28", "public, max-age=300", "271"),
        (answer, 341, "341", "public, max-age=300", "0"),
        (answer, -5, "0", "public, max-age=300", "300"),
        (lambda query: answer(query, *PARTIAL), 10, "10", "public, max-age=30", "20"),
        (
            lambda query: answer(query, outcome(Status.TIMEOUT), origin=Origin.ARCHIVE),
            0,
            "0",
            "public, max-age=30",
            "30",
        ),
        (lambda query: stale(query, Status.TIMEOUT), 0, "3600", "public, max-age=3630", "30"),
    ],
)
async def test_cache_headers_give_the_remaining_freshness(made_by, after_s, age, control, accel):
    """`max-age` less `Age` is the remaining time; nginx takes X-Accel-Expires as it is."""
    headers = await headers_of(made_by, Via.HIT, after_s)
    assert (headers["Age"], headers["Cache-Control"], headers["X-Accel-Expires"]) == (
        age,
        f"{control}, {ALWAYS}",
        accel,
    )


@pytest.mark.parametrize(("retry_in_s", "fresh_s"), [(5, 30), (90, 90), (9000, 300)])
async def test_a_partial_answer_is_fresh_until_its_failed_source_may_be_asked(retry_in_s, fresh_s):
    """That is after CACHE_PARTIAL_S and after its retry_at.

    It never lasts longer than the good sources stay fresh.
    """
    blocked = outcome(Status.RATE_LIMITED, "newsapi", retry_at=NOW + timedelta(seconds=retry_in_s))
    headers = await headers_of(lambda query: answer(query, outcome(), blocked))
    assert headers["X-Accel-Expires"] == str(fresh_s)


async def test_a_stale_answer_is_fresh_until_a_failed_source_may_be_asked():
    """A disabled source does not count, because it will not be asked."""

    def made_by(query):
        blocked = outcome(Status.QUOTA_EXHAUSTED, retry_at=NOW + timedelta(seconds=90))
        return evolve(stale(query), refused=(blocked, outcome(Status.DISABLED, "newsapi")))

    assert (await headers_of(made_by))["X-Accel-Expires"] == "90"


async def test_a_repair_does_not_renew_the_other_sources():
    """Age counts from the oldest successful outcome."""
    old = outcome(fetched_at=NOW - timedelta(seconds=100))
    headers = await headers_of(
        lambda query: answer(query, old, outcome(Status.EMPTY, "newsapi")), Via.HIT
    )
    assert (headers["Age"], headers["Cache-Status"]) == ("100", "newsintel; hit; ttl=200")


async def test_server_timing_has_a_metric_per_source_on_a_miss():
    """A source that was not asked has no duration."""
    expected = "newsapi;desc=disabled, guardian;desc=ok;dur=312.4"
    assert (await headers_of())["Server-Timing"] == expected
    assert (await headers_of(via=Via.COLLAPSED))["Server-Timing"] == expected
    assert (await headers_of(via=Via.HIT))["Server-Timing"] == "cache"


async def test_a_known_etag_is_304():
    """A 304 has the headers of its 200, but no body."""
    full = await headers_of(via=Via.HIT)
    assert full["ETag"].startswith('W/"')
    for given in (full["ETag"], full["ETag"].removeprefix("W/"), f'"other", {full["ETag"]}', "*"):
        world = World(desk=Desk(via=Via.HIT))
        response = (
            await create_app(world.services)
            .test_client()
            .get("/articles?q=a", headers={"If-None-Match": given})
        )
        assert response.status_code == 304
        assert await response.get_data() == b""
        for name in ("ETag", "Cache-Control", "Vary", "Cache-Status", "Age"):
            assert response.headers[name] == full[name]


async def test_the_etag_depends_on_harvest_and_view():
    """Each harvest and each view has its own ETag.

    How and when the answer was made does not change it.
    """
    later = NOW + timedelta(seconds=301)
    variants = [
        await headers_of(),
        await headers_of(path="/articles?q=a&limit=2"),
        await headers_of(path="/articles?q=a&page=2"),
        await headers_of(path="/articles?q=a&dedupe=off"),
        await headers_of(path="/articles?q=a&explain=1"),
        await headers_of(path="/articles?q=b"),
        await headers_of(lambda query: answer(query, fetched_at=later)),
        await headers_of(lambda query: stale(query, Status.TIMEOUT)),
    ]
    assert len({headers["ETag"] for headers in variants}) == len(variants)
    assert (await headers_of(via=Via.HIT, after_s=9))["ETag"] == variants[0]["ETag"]


async def test_an_answer_has_vary_and_no_cookie():
    """`Vary` names the headers that a personal answer depends on."""
    headers = await headers_of()
    assert headers["Vary"] == "Cookie, Authorization, Origin"
    assert "Set-Cookie" not in headers


HELD = outcome(
    Status.QUOTA_EXHAUSTED,
    "newsapi",
    latency_ms=None,
    held_back=HeldFrom.PERSON,
    retry_at=NOW + timedelta(days=1),
)


@pytest.mark.parametrize(
    "made_by",
    [
        lambda query: answer(query, HELD, outcome()),
        lambda query: answer(query, HELD, outcome(Status.TIMEOUT), origin=Origin.ARCHIVE),
        lambda query: evolve(stale(query), refused=(HELD, outcome(Status.TIMEOUT))),
    ],
    ids=["live", "archive", "stale"],
)
async def test_an_answer_held_back_from_one_person_is_not_shared(made_by):
    """Neither a shared cache such as nginx nor the hit path keeps it.

    The person's own cache may ask whether it has changed.
    """
    world = World(desk=Desk(via=Via.HIT, made_by=made_by))
    client = create_app(world.services).test_client()
    for _ in range(2):
        response = await client.get("/articles?q=a")
        assert (response.headers["Cache-Control"], response.headers["X-Accel-Expires"]) == (
            "private, no-cache",
            "0",
        )
    assert len(world.desk.asked) == 2
    assert (
        await client.get("/articles?q=a", headers={"If-None-Match": response.headers["ETag"]})
    ).status_code == 304


async def test_an_answer_held_back_from_anonymous_callers_is_shared():
    """It is the same for all anonymous callers, so a shared cache may keep it."""
    headers = await headers_of(
        lambda query: answer(query, evolve(HELD, held_back=HeldFrom.ANONYMOUS), outcome())
    )
    assert headers["Cache-Control"].startswith("public")
