"""Answers kept for seconds: what is sent from memory, until when, and how much is kept."""

from datetime import timedelta

import pytest
import trio

from newsintel.domain.archive.model import Bar
from newsintel.domain.bounds.sized_cache import ENTRY_BYTES, SizedCache
from newsintel.http.application import create_app
from newsintel.http.response.kept_answer import ANSWER_BYTES, MEMORY_S, KeptAnswer, keep_answer
from newsintel.http.routes import sources
from tests.fakes.accounts import program
from tests.fakes.basics import MemorySearch
from tests.fakes.likeness import MemoryLikeness
from tests.http.response.test_shared_answers import EMPTY
from tests.http.routes.test_archive import HITS
from tests.http.world import NOW, World, article

SIMILAR = f"/articles/{article(1).id}/similar"
CACHED = (
    *("/archive?q=a", "/archive/facets?q=a", "/archive/timeline?q=a", SIMILAR),
    *("/trending", "/searches/related?q=flood"),
)
KEPT = dict.fromkeys(CACHED, MEMORY_S) | {"/sources": sources.MEMORY_S}
"""Every path whose answer is kept, with the seconds for which it is sent from memory."""
MOVING = {"age", "cache-status", "x-accel-expires", "x-request-id"}


def filled():
    """Return a world in which no answer is empty."""
    world = World(
        archive=MemorySearch(HITS, [Bar(NOW, 2)]), likeness=MemoryLikeness(article(1), article(2))
    )
    for path in ("/trending", "/searches/related?q=flood"):
        EMPTY[path](world)
    return world


def fixed_headers(response):
    """Return the headers that do not depend on time."""
    return {name.lower(): value for name, value in response.headers if name.lower() not in MOVING}


def count_looks(services):
    """Return a function that returns how often Redis or the quotas were asked."""
    looks, look = [], services.search.bytes_cache.get

    async def note(key):
        looks.append(key)
        return await look(key)

    services.search.bytes_cache.get = note
    return lambda: len(looks) + services.limits.source_states.looked


@pytest.mark.parametrize(("path", "memory_s"), KEPT.items())
async def test_an_answer_is_sent_from_memory_for_seconds(path, memory_s):
    """Then Redis or the stores are asked again. Body and headers are the same both ways."""
    world = filled()
    services = world.services
    looks, client = count_looks(services), create_app(services).test_client()
    first = await client.get(path)
    for seconds, asked in ((0, 1), (memory_s - 0.1, 1), (memory_s, 2), (-1, 3)):
        world.now = NOW + timedelta(seconds=seconds)
        again = await client.get(path)
        assert looks() == asked, seconds
        assert (again.status_code, await again.get_data()) == (200, await first.get_data())
        assert fixed_headers(again) == fixed_headers(first)


@pytest.mark.parametrize("path", CACHED)
async def test_memory_and_redis_give_the_same_headers(autojump_clock, path):
    """The age counts from the moment at which the answer was made, wherever it was kept."""
    world = filled()
    other, client = (create_app(world.services).test_client() for _ in range(2))
    await other.get(path)
    await trio.sleep(20)
    world.now = NOW + timedelta(seconds=20)
    of_redis, of_memory = await client.get(path), await client.get(path)
    moving = {name: of_memory.headers.get(name) for name in MOVING - {"x-request-id"}}
    assert moving == {name: of_redis.headers.get(name) for name in moving}
    assert moving == {
        "age": "20",
        "cache-status": "newsintel; hit; ttl=40",
        "x-accel-expires": "40",
    }


async def test_an_answer_near_its_end_is_not_sent_longer_than_redis_keeps_it(autojump_clock):
    """Memory adds nothing to the time for which an answer may be old."""
    world = filled()
    await create_app(world.services).test_client().get("/trending")
    client, statuses = create_app(world.services).test_client(), []
    for seconds in (58, 59.9, 60):
        await trio.sleep(seconds - trio.current_time())
        world.now = NOW + timedelta(seconds=seconds)
        statuses.append((await client.get("/trending")).headers["Cache-Status"])
    assert statuses == [
        "newsintel; hit; ttl=2",
        "newsintel; hit; ttl=1",
        "newsintel; fwd=miss",
    ]


@pytest.mark.parametrize("path", KEPT)
async def test_a_held_answer_gets_a_304_from_memory(path):
    """`*` names every answer that has a tag; an answer that caches may not keep has none."""
    world = filled()
    client = create_app(world.services).test_client()
    first = await client.get(path)
    tag = first.headers.get("ETag", '"none"')
    same = await client.get(path, headers={"If-None-Match": tag})
    assert same.status_code == (200 if path == "/sources" else 304)
    assert await same.get_data() == (b"" if same.status_code == 304 else await first.get_data())


async def test_a_signed_in_persons_answer_does_not_come_from_memory():
    """Its headers forbid every cache to keep it, though the body is anybody's."""
    world = filled()
    client, key = create_app(world.services).test_client(), await program(world)
    await client.get("/archive?q=a")
    own = await client.get("/archive?q=a", headers=key)
    assert own.headers["Cache-Control"] == "private, no-store"
    assert (await client.get("/archive?q=a")).headers["Cache-Control"] == "public, max-age=60"


async def test_other_parameters_and_failures_are_not_answered_from_memory():
    """The key is the request as it was typed; only a 200 is kept."""
    world = filled()
    client = create_app(world.services).test_client()
    await client.get("/archive?q=a")
    for path in ("/archive?q=a&limit=0", "/archive?q=a&q=b", "/sources?x=1"):
        assert [(await client.get(path)).status_code for _ in range(2)] == [400, 400]
    post = await client.post("/archive?q=a")
    assert post.status_code == 405


def answer(body):
    """Return an answer with this body."""
    return KeptAnswer.of_body(body, "/archive", 0.0, keep_s=60, age_s=0.0)


def test_the_bytes_of_all_answers_are_bounded():
    """The least recently used answer goes first."""
    scopes = [("/archive", b"q=%d" % number) for number in range(3)]
    one = ANSWER_BYTES + ENTRY_BYTES + len("/archive") + len(b"q=0") + len(b"xxxx")
    kept = SizedCache(2 * one)
    for scope in scopes[:2]:
        keep_answer(kept, *scope, answer(b"xxxx"))
    assert kept.get(scopes[0]).body == b"xxxx"
    keep_answer(kept, *scopes[2], answer(b"xxxx"))
    assert [kept.get(scope) is not None for scope in scopes] == [True, False, True]
