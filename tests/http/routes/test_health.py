"""GET /health, GET /health/ready and GET /sources."""

import pytest
import trio
from structlog.testing import capture_logs

from newsintel.domain.limits.ports import SourceState
from newsintel.domain.operations.ports import Phase, StoreHealth
from newsintel.domain.search.outcome import Status
from newsintel.http.application import create_app
from newsintel.http.routes.health import log_silent_actors, watch_readiness
from tests.http.world import NOW, Health, World, settings

UP, NO_PG, NO_REDIS = (
    StoreHealth(postgresql=True, redis=True),
    StoreHealth(postgresql=False, redis=True),
    StoreHealth(postgresql=True, redis=False),
)


async def get(world, path):
    """Return status and body of one GET."""
    response = await create_app(world.services).test_client().get(path)
    return response.status_code, await response.get_json()


@pytest.mark.parametrize("phase", Phase)
async def test_health_is_200_while_the_loops_live(phase):
    """It stays 200 while the service drains, and it does not ask the stores."""
    world = World(
        settings=settings(NEWSINTEL_COMMIT="abc123"),
        health=Health(life=phase, found=StoreHealth(postgresql=False, redis=False)),
    )
    assert await get(world, "/health") == (
        200,
        {"status": "ok", "version": "0.1.0", "commit": "abc123"},
    )
    assert world.health.pings == 0


BLOCKED = SourceState(Status.RATE_LIMITED, NOW)


@pytest.mark.parametrize(
    ("phase", "stores", "state", "status", "word"),
    [
        (Phase.SERVING, UP, SourceState(), 200, "ready"),
        (Phase.SERVING, NO_REDIS, SourceState(), 200, "degraded"),
        (Phase.SERVING, NO_PG, SourceState(), 200, "degraded"),
        (Phase.SERVING, UP, BLOCKED, 200, "degraded"),
        (Phase.SERVING, NO_PG, BLOCKED, 503, "unusable"),
        (Phase.STARTING, UP, SourceState(), 503, "starting"),
        (Phase.DRAINING, UP, SourceState(), 503, "draining"),
    ],
)
async def test_readiness_is_503_if_no_traffic_should_arrive(phase, stores, state, status, word):
    """Disabled sources do not count."""
    world = World(health=Health(life=phase, found=stores), states={"guardian": state})
    got, body = await get(world, "/health/ready")
    assert (got, body["status"]) == (status, word)
    assert body["checks"] == {
        "postgresql": "ok" if stores.postgresql else "failing",
        "redis": "ok" if stores.redis else "failing",
    }
    assert body["sources"] == {
        "newsapi": "disabled",
        "guardian": "rate_limited" if state is BLOCKED else "ready",
    }


async def test_a_probe_before_the_first_check_is_503():
    """It says `starting`; the service makes the first check before it serves."""
    status, body = await get(World(health=Health(found=None)), "/health/ready")
    assert (status, body["status"], body["checks"]) == (503, "starting", {})


async def test_probes_ask_no_store():
    """The service checks the stores by itself.

    A probe that is cancelled must not stop or delay a check, and nobody decides how often they run.
    """
    world = World()
    client = create_app(world.services).test_client()
    for stores, word in ((UP, "ready"), (NO_REDIS, "degraded"), (UP, "ready")):
        world.health.found = stores
        assert (await (await client.get("/health/ready")).get_json())["status"] == word
    assert world.health.pings == 0


async def test_sources_reports_settings_state_and_quota():
    """It shows the remaining quota, but never an API key."""
    world = World(
        settings=settings(NEWSINTEL_NEWSAPI_KEY="topsecret"),
        states={"newsapi": SourceState(Status.QUOTA_EXHAUSTED, NOW, 0)},
    )
    status, body = await get(world, "/sources")
    assert status == 200
    assert body["sources"] == {
        "newsapi": {
            "enabled": True,
            "state": "quota_exhausted",
            "deadline_s": 1.0,
            "pace_s": 0.0,
            "quota": {"calls": 100, "window_s": 86400, "left": 0},
            "retry_at": "2026-03-01T12:00:00.000Z",
        },
        "guardian": {
            "enabled": True,
            "state": "ready",
            "deadline_s": 1.0,
            "pace_s": 1.0,
            "quota": None,
            "retry_at": None,
        },
    }


async def test_health_is_503_while_an_actor_does_not_get_on():
    """It names the actor, and recovers with it."""
    world = World(settings=settings(NEWSINTEL_COMMIT="abc123"))
    client = create_app(world.services).test_client()
    for silent, status in (([], 200), (["persister"], 503), ([], 200)):
        world.health.silent = silent
        response = await client.get("/health")
        body = await response.get_json()
        assert (response.status_code, body.get("actors", [])) == (status, silent)
        assert body["status"] == ("stuck" if silent else "ok")
        assert (body["version"], body["commit"]) == ("0.1.0", "abc123")
        assert response.headers["Cache-Control"] == "no-store"


async def test_a_silent_actor_is_logged_once_with_all_tasks():
    """So the log has the cause before the platform restarts the process."""
    world = World()
    health = world.health
    known = []
    with capture_logs() as logs:
        for silent in ([], ["persister"], ["persister"], ["persister", "merger"], []):
            health.silent = silent
            known = log_silent_actors(known, health)
    assert [line.get("actors") for line in logs if line["event"] == "actor_silent"] == [
        ["persister"],
        ["persister", "merger"],
    ]


async def test_a_silent_actor_is_reported_after_it_was_logged(autojump_clock):
    """A worker ends then, and its log has the cause. Without a silent actor nothing happens."""
    world, shutdown = World(), trio.Event()
    reported = []

    def note():
        reported.append([line["event"] for line in logs])

    with capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch_readiness, world.services, shutdown, note)
            await trio.sleep(60)
            assert reported == []
            world.health.silent = ["persister"]
            await trio.sleep(60)
            assert reported[0][:2] == ["actor_silent", "task_tree"]
            shutdown.set()
