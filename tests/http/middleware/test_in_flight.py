"""Too many reads at once are refused early; whoever does not wait takes no place."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from newsintel.http.application import create_front
from newsintel.http.middleware import in_flight
from newsintel.http.response.refusal import Refusals
from tests.http.pages.parsed_page import get_page
from tests.http.world import Desk, World, answer
from tests.samples import read_counter

LIMIT = 5


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A process that takes few reads at once."""
    monkeypatch.setattr(in_flight, "MAX_WAITING", LIMIT)


class Waiting(Desk):
    """A desk that answers when it may."""

    def __init__(self):
        super().__init__()
        self.may = trio.Event()

    async def search(self, query, asker):
        """Wait, then answer."""
        await self.may.wait()
        return await super().search(query, asker)


async def test_one_read_too_many_is_busy_at_once():
    """The others get their answers, and then there is room again; HEAD is a read too."""
    world = World(desk=Waiting())
    front = create_front(world.services)
    client = front.app.test_client()
    statuses = []

    async def ask(number):
        statuses.append((await client.get(f"/articles?q=a{number}")).status_code)

    async with trio.open_nursery() as nursery:
        for number in range(LIMIT):
            nursery.start_soon(ask, number)
        await wait_all_tasks_blocked()
        assert front.in_flight.waiting == LIMIT
        for refused in (await client.get("/archive"), await client.head("/sources")):
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
            assert refused.headers["X-Request-Id"]
        assert (await (await client.get("/articles?q=b")).get_json())["code"] == "busy"
        page, refused = await get_page(client, "/search")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert page.texts("h1") == ["Service busy"]
        for probe in ("/health", "/health/ready", "/metrics"):
            assert (await client.get(probe)).status_code == 200
        assert (await client.post("/auth/logout")).status_code != 503
        world.desk.may.set()
    assert statuses == [200] * LIMIT
    assert front.in_flight.waiting == 0
    assert read_counter(world.metrics, "shed_requests") == 4
    assert (await client.get("/sources")).status_code == 200


async def test_a_response_that_has_begun_takes_no_place():
    """A client that reads slowly keeps nobody out."""
    begun, may = trio.Event(), trio.Event()

    async def slow_app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        begun.set()
        await may.wait()

    counted = in_flight.InFlight(slow_app, lambda *_, **__: None, Refusals.of_table([]))

    async def send(_message):
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(counted, {"type": "http", "method": "GET", "path": "/a"}, None, send)
        await begun.wait()
        assert counted.waiting == 0
        may.set()
    assert counted.waiting == 0


@pytest.mark.parametrize("ending", [ValueError, None], ids=["a bug", "a cancel"])
async def test_a_read_without_an_answer_gives_its_place_back(ending):
    """It ended in an error, or its client left."""

    async def failing(_scope, _receive, _send):
        if ending:
            raise ending
        await trio.sleep_forever()

    counted = in_flight.InFlight(failing, lambda *_, **__: None, Refusals.of_table([]))
    with trio.move_on_after(0) if ending is None else pytest.raises(ending):
        await counted({"type": "http", "method": "GET", "path": "/a"}, None, None)
    assert counted.waiting == 0


async def test_the_limit_is_stated(monkeypatch):
    """Where a read may be refused, the description has the 503."""
    world = World(desk=Desk(made_by=answer))
    client = create_front(world.services).app.test_client()
    paths = (await (await client.get("/openapi.json")).get_json())["paths"]
    for path in ("/sources", "/archive", "/articles/stream", "/me"):
        assert "busy" in paths[path]["get"]["responses"]["503"]["description"]
    for probe in ("/health", "/health/ready"):
        assert "busy" not in paths[probe]["get"]["responses"]["503"]["description"]
