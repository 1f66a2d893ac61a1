"""Rate limits per person, as requests meet them."""

import pytest
from attrs import evolve

from newsintel.config.values import Quota
from newsintel.errors import RateLimitedError
from newsintel.http.application import create_app
from newsintel.runtime.limits.limiter import Limiter
from tests.fakes.basics import MemoryCounter
from tests.http.world import NOW, Desk, World, settings
from tests.samples import read_counter


def limited(calls=2, misses=None, **more):
    """Return a world in which a person may make `calls` requests a minute."""
    world = World(**more)
    counter = MemoryCounter()

    def clock():
        return world.now.timestamp()

    def limit(policy, number):
        return Limiter(policy, Quota(number, 60), counter, world.metrics.count, clock)

    world.requests = limit("search", calls)
    world.misses = limit("miss", misses) if misses else None
    return world


async def test_every_answer_has_the_rate_limit_headers():
    """They give the policy, what remains and the seconds to the window's end.

    A search can reach an upstream, so it has both limits.
    """
    client = create_app(limited(misses=30).services).test_client()
    search = await client.get("/articles?q=a")
    assert search.headers["RateLimit-Policy"] == '"search";q=2;w=60, "miss";q=30;w=60'
    assert search.headers["RateLimit"] == '"search";r=1;t=60, "miss";r=30;t=60'
    missing = await client.get("/nowhere")
    assert (
        missing.status_code,
        missing.headers["RateLimit-Policy"],
        missing.headers["RateLimit"],
    ) == (
        404,
        '"search";q=2;w=60',
        '"search";r=0;t=60',
    )


async def test_past_the_limit_is_429_until_the_window_ends():
    """The problem says how long to wait; hits count too. After the window, requests pass again."""
    world = limited(misses=30)
    client = create_app(world.services).test_client()
    for _ in range(2):
        assert (await client.get("/articles?q=a")).status_code == 200
    world.now = evolve_second(20)
    refused = await client.get("/articles?q=a")
    body = await refused.get_json()
    assert (refused.status_code, body["code"], refused.content_type) == (
        429,
        "rate_limited",
        "application/problem+json",
    )
    assert (refused.headers["Retry-After"], refused.headers["Cache-Control"]) == ("40", "no-store")
    assert refused.headers["RateLimit"] == '"search";r=0;t=40, "miss";r=30;t=40'
    assert body["request_id"] == refused.headers["X-Request-Id"]
    assert len(world.desk.asked) == 1
    assert read_counter(world.metrics, "limited", policy="search") == 1
    world.now = evolve_second(60)
    assert (await client.get("/articles?q=a")).status_code == 200


def evolve_second(seconds):
    """Return the moment that is `seconds` into the window."""
    return NOW.replace(second=seconds % 60, minute=seconds // 60)


async def test_each_person_has_their_own_limit():
    """Identify tells persons apart."""
    world = limited(calls=1)
    world.settings = settings(NEWSINTEL_TRUSTED_PROXIES="127.0.0.1,0.0.0.0/0,::/0")
    client = create_app(evolve(world.services, settings=world.settings)).test_client()
    statuses = [
        (await client.get("/sources", scope_base={"client": (peer, 1)})).status_code
        for peer in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]
    assert statuses == [200, 429, 200]


FREE = [
    "/health",
    "/health/ready",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/favicon.ico",
    "/problems/rate_limited",
    "/problems/nothing",
]


@pytest.mark.parametrize("path", FREE)
async def test_probes_and_help_pages_are_exempt(path):
    """They do not count and have no RateLimit header.

    They work when the limit is used up, so a refused caller can read the page of the problem.
    """
    client = create_app(limited(calls=1).services).test_client()
    for spent in (200, 429):
        for _ in range(3):
            response = await client.get(path)
            assert response.status_code in (200, 404)
            assert "RateLimit" not in response.headers
        assert (await client.get("/sources")).status_code == spent


async def test_the_description_says_which_routes_are_limited():
    """An answer described with RateLimit has the header; any other answer does not."""
    client = create_app(limited(calls=100).services).test_client()
    paths = (await (await client.get("/openapi.json")).get_json())["paths"]
    for path in (path for path, methods in paths.items() if "get" in methods and "{" not in path):
        answers = paths[path]["get"]["responses"].values()
        described = all("RateLimit" in one["headers"] for one in answers)
        assert described is any("RateLimit" in one["headers"] for one in answers), path
        assert ("RateLimit" in (await client.get(path)).headers) is described, path


async def test_off_sets_no_header_and_refuses_nothing():
    """The test world has no limiter."""
    response = await create_app(World().services).test_client().get("/sources")
    assert (response.status_code, "RateLimit" in response.headers) == (200, False)


async def test_the_desk_refuses_searches_over_the_miss_limit():
    """The refusal is the same problem, with its own time to wait."""
    world = limited(calls=60, misses=30, desk=Desk(raises=RateLimitedError(17)))
    response = await create_app(world.services).test_client().get("/articles?q=a")
    assert (
        response.status_code,
        (await response.get_json())["code"],
        response.headers["Retry-After"],
    ) == (429, "rate_limited", "17")
    assert response.headers["RateLimit"].startswith('"search";r=59')


async def test_without_redis_requests_are_limited_per_process():
    """Requests pass within the limit by this process's own count."""
    world = limited()
    world.requests._counter.away = True
    client = create_app(world.services).test_client()
    assert [(await client.get("/sources")).status_code for _ in range(3)] == [200, 200, 429]
    assert read_counter(world.metrics, "lease_errors", policy="search") == 2


@pytest.mark.parametrize(
    ("environ", "search", "sources"),
    [
        ({}, True, True),
        ({"NEWSINTEL_RATE_LIMIT": "off"}, True, False),
        ({"NEWSINTEL_RATE_LIMIT": "off", "NEWSINTEL_MISS_LIMIT": "off"}, False, False),
    ],
)
async def test_the_description_has_429_where_it_can_happen(environ, search, sources):
    """All limited routes have it; if only upstream calls are limited, only the search has it."""
    world = World(settings=settings(**environ))
    paths = (
        await (await create_app(world.services).test_client().get("/openapi.json")).get_json()
    )["paths"]
    found = {
        path: "429" in paths[path]["get"]["responses"]
        for path in ("/articles", "/sources", "/health")
    }
    assert found == {"/articles": search, "/sources": sources, "/health": False}
    assert (
        "RateLimit" in paths["/sources"]["get"]["responses"]["200"].get("headers", {})
    ) == sources
