"""The hit path: how it answers a repeated search, and which requests it passes on."""

from datetime import timedelta

import httpx
import pytest

from newsintel.domain.search.harvest import Origin, Via
from newsintel.domain.search.history import REPEAT_S
from newsintel.domain.search.outcome import Status
from newsintel.http.application import create_app
from newsintel.http.bodies.search import render_in_slices
from tests.fakes.accounts import browser, program
from tests.http.world import NOW, Desk, World, answer, outcome, settings, stale
from tests.samples import read_counter

PATH = "/articles?q=flood&limit=2"


def client_of(world):
    """Return a client that adds nothing to a response, unlike Quart's own."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(world.services)), base_url="http://localhost"
    )


def headers_of(response, *without):
    """Return a response's headers by name, without request id, date and the names in `without`."""
    return {
        name.lower(): value
        for name, value in response.headers.items()
        if name.lower() not in {"x-request-id", "date", *without}
    }


async def test_a_repeat_gets_the_same_answer_without_the_framework():
    """Body and headers are equal, except those that depend on time; the desk is asked once."""
    world = World()
    client = create_app(world.services).test_client()
    miss = await client.get(PATH)
    world.now = NOW + timedelta(seconds=28.5)
    hit = await client.get(PATH)
    assert len(world.desk.asked) == 1
    assert (hit.status_code, await hit.get_data()) == (200, await miss.get_data())
    moving = ("age", "cache-status", "x-accel-expires", "server-timing")
    assert headers_of(hit, *moving) == headers_of(miss, *moving)
    assert {name: hit.headers[name] for name in moving} == {
        "age": "28",
        "cache-status": "newsintel; hit; ttl=271",
        "x-accel-expires": "271",
        "server-timing": "cache",
    }
    assert hit.headers["X-Request-Id"] != miss.headers["X-Request-Id"]


async def test_hits_are_recorded_like_any_answer():
    """One record per person, query and minute, whether the framework or the hit path answered."""
    world = World()
    client = create_app(world.services).test_client()
    for seconds in (0, 28, 59, 60, 61):
        world.now = NOW + timedelta(seconds=seconds)
        await client.get(PATH)
    assert len(world.desk.asked) == 1
    records = [world.inbox[1].receive_nowait() for _ in range(2)]
    assert [(one.query, one.key, one.results_count) for one in records] == [
        ("flood", world.desk.asked[0].key, 3)
    ] * 2
    assert [one.searched_at - NOW for one in records] == [timedelta(0), timedelta(seconds=60)]
    assert world.inbox[1].statistics().current_buffer_used == 0


async def test_hits_of_the_desk_and_of_the_hit_path_have_equal_headers():
    """A caller cannot tell a rendered page from an answer out of the desk's memory."""
    world = World(desk=Desk(via=Via.HIT))
    client = create_app(world.services).test_client()
    assert headers_of(await client.get(PATH)) == headers_of(await client.get(PATH))
    assert len(world.desk.asked) == 1


async def test_later_pages_are_hits_and_are_not_recorded():
    """A hit has the same `Link` header as its miss."""
    world = World()
    client = create_app(world.services).test_client()
    for page, link in ((1, True), (2, False)):
        path = f"/articles?q=flood&limit=2&page={page}"
        first, again = await client.get(path), await client.get(path)
        assert first.headers.get("Link") == again.headers.get("Link")
        assert ("Link" in again.headers) is link
    assert len(world.desk.asked) == 2
    assert world.inbox[1].statistics().current_buffer_used == 1


async def test_matching_etag_gets_a_304_without_a_body():
    """The comparison is weak and works in any list.

    A 304 describes no body and is not recorded as a search.
    """
    world = World()
    client = client_of(world)
    first = await client.get(PATH)
    world.inbox[1].receive_nowait()
    for given in (
        first.headers["ETag"],
        first.headers["ETag"].removeprefix("W/"),
        f'"x", {first.headers["ETag"]}',
        "*",
    ):
        same = await client.get(PATH, headers={"If-None-Match": given})
        assert (same.status_code, same.content) == (304, b"")
        assert "Content-Type" not in same.headers
        assert "Content-Length" not in same.headers
        assert same.headers["ETag"] == first.headers["ETag"]
        assert same.headers["Cache-Status"] == "newsintel; hit; ttl=300"
    world.now = NOW + timedelta(seconds=REPEAT_S)
    await client.get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert world.inbox[1].statistics().current_buffer_used == 0
    other = await client.get(PATH, headers={"If-None-Match": '"another"'})
    assert other.status_code == 200
    assert len(world.desk.asked) == 1
    assert world.inbox[1].statistics().current_buffer_used == 1


async def test_head_of_a_hit_has_the_headers_of_the_get():
    """It has no body and is not recorded as a search."""
    world = World()
    client = client_of(world)
    await client.get(PATH)
    world.now = NOW + timedelta(seconds=REPEAT_S)
    head = await client.head(PATH)
    assert world.inbox[1].statistics().current_buffer_used == 1
    assert headers_of(head) == headers_of(await client.get(PATH))
    assert head.content == b""
    assert len(world.desk.asked) == 1
    assert world.inbox[1].statistics().current_buffer_used == 2


async def test_when_an_answer_is_no_longer_fresh_the_desk_is_asked():
    """The limit is exact; the desk decides whether it can still serve the old answer."""
    world = World()
    client = create_app(world.services).test_client()
    await client.get(PATH)
    world.now = NOW + timedelta(seconds=299.9)
    assert (await client.get(PATH)).headers["Cache-Status"] == "newsintel; hit; ttl=0"
    world.now = NOW + timedelta(seconds=300)
    await client.get(PATH)
    assert len(world.desk.asked) == 2


async def test_after_the_clock_was_set_back_the_desk_is_asked_again():
    """Otherwise the answer would be fresh until the clock reached its time again.

    nginx would keep it that long too.
    """
    world = World()
    client = create_app(world.services).test_client()
    await client.get(PATH)
    world.now = NOW - timedelta(days=400)
    again = await client.get(PATH)
    assert len(world.desk.asked) == 2
    assert int(again.headers["X-Accel-Expires"]) <= 300


async def test_during_a_renewal_the_hit_path_answers_like_the_desk():
    """Body and headers are equal; the desk learns which answer the page shows, and who asks."""
    world = World(desk=Desk(via=Via.REVALIDATED))
    client = create_app(world.services).test_client()
    await client.get(PATH)
    world.now = NOW + timedelta(seconds=341.5)
    old = await client.get(PATH)
    world.desk.renews = True
    hot = await client.get(PATH)
    assert len(world.desk.asked) == 2
    assert (hot.status_code, await hot.get_data()) == (200, await old.get_data())
    assert headers_of(hot) == headers_of(old)
    assert hot.headers["Cache-Status"] == "newsintel; hit; ttl=-42"
    assert {(asked.key, fetched_at) for asked, fetched_at, _ in world.desk.renewed} == {
        (world.desk.asked[0].key, NOW)
    }
    assert not any(asker.signed_in for *_, asker in world.desk.renewed)
    assert read_counter(world.metrics, "searches", via="revalidated") == 3
    assert (
        await client.get(PATH, headers={"If-None-Match": hot.headers["ETag"]})
    ).status_code == 304


async def test_a_partial_answer_is_served_until_its_failed_source_may_be_asked():
    """The retry of a failed source must not wait until the good sources expire."""
    world = World(
        desk=Desk(
            made_by=lambda query: answer(query, outcome(), outcome(Status.TIMEOUT, "newsapi"))
        )
    )
    client = create_app(world.services).test_client()
    await client.get(PATH)
    world.now = NOW + timedelta(seconds=29)
    await client.get(PATH)
    assert len(world.desk.asked) == 1
    world.now = NOW + timedelta(seconds=30)
    await client.get(PATH)
    assert len(world.desk.asked) == 2


NEVER_HOT = {
    "a stale harvest that stands in": lambda query: stale(query, Status.TIMEOUT),
    "the archive": lambda query: answer(query, outcome(Status.TIMEOUT), origin=Origin.ARCHIVE),
    "nobody": lambda query: answer(query, outcome(Status.TIMEOUT), articles=0),
}


@pytest.mark.parametrize("made_by", NEVER_HOT.values(), ids=NEVER_HOT)
async def test_an_answer_without_live_sources_is_never_served_by_the_hit_path(made_by):
    """Failures are not kept as rendered pages."""
    world = World(desk=Desk(made_by=made_by))
    client = create_app(world.services).test_client()
    await client.get(PATH)
    await client.get(PATH)
    assert len(world.desk.asked) == 2


async def test_an_answer_is_rendered_once(monkeypatch):
    """A waiter who gets the same answer reuses the rendered page.

    Another answer is another page.
    """
    made = []
    real = answer
    world = World(desk=Desk(made_by=real))
    monkeypatch.setattr(
        "newsintel.http.routes.search_request.render_in_slices",
        lambda *args: made.append(args) or _render(*args),
    )
    client = create_app(world.services).test_client()
    world.now = NOW + timedelta(seconds=1000)  # no longer fresh: every call goes to the desk
    first, second = await client.get(PATH), await client.get(PATH)
    assert await first.get_data() == await second.get_data()
    assert (len(world.desk.asked), len(made)) == (2, 1)
    world.desk.made_by = lambda query: answer(query, fetched_at=NOW + timedelta(seconds=1))
    await client.get(PATH)
    assert len(made) == 2


def _render(*args):
    return render_in_slices(*args)


async def test_hit_path_passes_signed_in_callers_on():
    """A person with preferences must not get the shared page."""
    world = World()
    client = create_app(world.services).test_client()
    await client.get(PATH)
    await client.get(PATH, headers=await browser(world))
    await client.get(PATH, headers=await program(world))
    assert len(world.desk.asked) == 3


async def test_a_bad_key_is_refused_on_hits():
    """As on every route, the caller must learn that the key is bad."""
    client = create_app(World().services).test_client()
    assert (await client.get(PATH)).status_code == 200
    assert (await client.get(PATH, headers={"Authorization": "Bearer ni_wrong"})).status_code == 401


async def test_hit_path_serves_only_get_and_head_of_the_same_search():
    """Another method, path, query string or host is another request."""
    world = World(settings=settings(NEWSINTEL_ALLOWED_HOSTS="alias.test"))
    client = create_app(world.services).test_client()
    await client.get(PATH)
    assert (await client.post(PATH)).status_code == 405
    assert (await client.get(PATH, headers={"Host": "evil.test"})).status_code == 421
    assert (await client.get(PATH, headers={"Host": "alias.test"})).status_code == 200
    assert len(world.desk.asked) == 1
    assert (await client.get("/articles/?q=flood&limit=2")).status_code == 404
    await client.get("/articles?limit=2&q=flood")
    assert len(world.desk.asked) == 2
