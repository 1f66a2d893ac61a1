"""Cached answers: their headers, when callers share them, and what an outage of Redis costs."""

from pathlib import Path

import pytest
import trio
from attrs import evolve

from newsintel.domain.archive.model import Bar
from newsintel.domain.intelligence.search_counts import QueryRelation, Trend, TrendWindow
from newsintel.domain.search.article import ArchivedArticle
from newsintel.errors import BusyError, UnavailableError
from newsintel.http import routes
from newsintel.http.application import create_app
from newsintel.http.response.shared_answers import CACHE_EMPTY_S, CACHE_S
from tests.fakes.basics import MemoryBytes, MemorySearch
from tests.fakes.likeness import MemoryLikeness
from tests.http.routes.test_archive import HITS, PATHS, filled, get
from tests.http.world import NOW, Desk, World, article
from tests.samples import read_counter


@pytest.mark.parametrize("path", PATHS)
async def test_a_hit_equals_its_miss(autojump_clock, path):
    """Body and ETag are the same, and the archive is not asked.

    The headers give the age and the remaining time.
    """
    world = filled()
    miss = await get(world, f"{path}?q=a")
    await trio.sleep(18.5)
    hit = await get(world, f"{path}?q=a")
    assert await hit.get_data() == await miss.get_data()
    assert len(world.archive.asked) == 1
    assert [
        (one.headers["Cache-Status"], one.headers["Age"], one.headers["X-Accel-Expires"])
        for one in (miss, hit)
    ] == [
        ("newsintel; fwd=miss", "0", "60"),
        ("newsintel; hit; ttl=42", "18", "42"),
    ]
    assert {one.headers["ETag"] for one in (miss, hit)} == {miss.headers["ETag"]}
    assert hit.headers["Cache-Control"] == "public, max-age=60"
    assert hit.headers["Vary"] == "Cookie, Authorization, Origin"
    assert "Set-Cookie" not in hit.headers


async def test_an_expired_answer_is_made_again(autojump_clock):
    """Articles that arrived meanwhile are found a minute later."""
    world = filled()
    first = await get(world, "/archive?q=a")
    world.archive.hits = ()
    await trio.sleep(CACHE_S)
    second = await get(world, "/archive?q=a")
    assert second.headers["Cache-Status"] == "newsintel; fwd=miss"
    assert second.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/archive?q=flood", "/archive?q=++flood+AND+FLOOD"),
        ("/archive?q=a&sort=relevance&limit=20", "/archive?limit=020&q=a"),
        ("/archive/facets?from=2026-01-01", "/archive/facets?q=after:2026-01-01"),
        ("/archive/timeline", "/archive/timeline?bucket=day"),
    ],
)
async def test_equal_questions_share_an_answer(one, other):
    """The key is the meaning of the question, not its spelling."""
    world = filled()
    await get(world, one)
    assert (await get(world, other)).headers["Cache-Status"].startswith("newsintel; hit")


async def test_every_parameter_that_changes_the_answer_changes_the_key():
    """Each of these questions has its own answer."""
    world = filled()
    cursor = (await (await get(world, "/archive?q=a&limit=2")).get_json())["next_cursor"]
    paths = [
        "/archive?q=a",
        "/archive?q=b",
        "/archive?q=a&sort=oldest",
        f"/archive?q=a&limit=2&cursor={cursor}",
        "/archive?q=a&language=en",
    ]
    paths += ["/archive/facets?q=a", "/archive/timeline?q=a", "/archive/timeline?q=a&bucket=hour"]
    for path in paths:
        assert (await get(world, path)).headers["Cache-Status"] == "newsintel; fwd=miss"
    assert len(world.bytes_cache.kept) == len(paths) + 1
    assert all(
        key.startswith("archive:") and ttl_s == CACHE_S
        for key, (_, _, ttl_s) in world.bytes_cache.kept.items()
    )


async def test_a_matching_etag_gets_a_304():
    """It has the headers and no body, for a miss and for a hit."""
    world = filled()
    tag = (await get(world, "/archive?q=a")).headers["ETag"]
    assert tag.startswith('W/"')
    for cache in (world.bytes_cache, MemoryBytes()):
        world.bytes_cache = cache
        response = await get(world, "/archive?q=a", headers={"If-None-Match": tag})
        assert (response.status_code, await response.get_data(), response.headers["ETag"]) == (
            304,
            b"",
            tag,
        )
        assert "Cache-Status" in response.headers
    assert (await get(world, "/archive?q=a", headers={"If-None-Match": 'W/"x"'})).status_code == 200


class Away(MemoryBytes):
    """A Redis in which `get`, `put` or both fail."""

    def __init__(self, *operations):
        super().__init__()
        self.operations = operations
        self.called = []

    async def get(self, key):
        """Fail if `get` is among the operations."""
        self.called.append("get")
        self.away = "get" in self.operations
        return await super().get(key)

    async def put(self, key, data, ttl_s):
        """Fail if `put` is among the operations."""
        self.called.append("put")
        self.away = "put" in self.operations
        await super().put(key, data, ttl_s)


@pytest.mark.parametrize(
    ("operations", "called"), [(("get", "put"), ["get"]), (("put",), ["get", "put"])]
)
async def test_a_redis_outage_costs_only_the_sharing(operations, called):
    """The answer is made and the failure is counted.

    After a failed look-up the same request does not ask Redis again.
    """
    cache = Away(*operations)
    world = World(archive=MemorySearch(HITS), bytes_cache=cache)
    response = await get(world, "/archive?q=a")
    assert (response.status_code, response.headers["Cache-Status"]) == (200, "newsintel; fwd=miss")
    assert len((await response.get_json())["articles"]) == 5
    assert cache.called == called
    assert read_counter(world.metrics, "cache_errors", operation=called[-1]) == 1


async def crowd(world, path, callers=50):
    """Return the responses to `callers` requests that reach one process at once."""
    client, found = create_app(world.services).test_client(), []

    async def ask():
        found.append(await client.get(path))

    async with trio.open_nursery() as nursery:
        for _ in range(callers):
            nursery.start_soon(ask)
    return found


def slowed(world, error=None):
    """Delay the list of trends by a second; then it fails if there is an error.

    Returns the list of the times at which it was asked for.
    """
    asked, top = [], world.trending.list_top

    async def slow(*args):
        asked.append(trio.current_time())
        await trio.sleep(1)
        if error is not None:
            raise error
        return await top(*args)

    world.trending.list_top = slow
    return asked


@pytest.mark.parametrize("operations", [(), ("get", "put")], ids=["redis", "no redis"])
async def test_concurrent_callers_share_one_computation(autojump_clock, operations):
    """All callers get the same body, with or without Redis."""
    world = World(bytes_cache=Away(*operations))
    asked = slowed(world)
    found = await crowd(world, "/trending")
    assert asked == [0]
    assert {
        (one.status_code, one.headers["Cache-Status"], await one.get_data()) for one in found
    } == {(200, "newsintel; fwd=miss", await found[0].get_data())}
    assert world.bytes_cache.called.count("put") == (not operations)


async def test_concurrent_callers_learn_of_an_outage_at_the_same_moment(autojump_clock):
    """No caller waits for a failure of its own."""
    world = World()
    asked = slowed(world, UnavailableError("away"))
    found = await crowd(world, "/trending")
    assert {one.status_code for one in found} == {503}
    assert (asked, trio.current_time()) == ([0], 1)


async def test_a_refusal_for_lack_of_a_slot_is_not_shared(autojump_clock):
    """Slots are shared fairly among people, so one refusal says nothing about other callers."""
    world = World()
    asked = slowed(world, BusyError("no place"))
    found = await crowd(world, "/trending", callers=3)
    assert {one.status_code for one in found} == {503}
    assert (asked, trio.current_time()) == ([0, 1, 1], 2)


POST = evolve(article(1), canonical_url="https://reddit.com/comments/1abc")
"""A post that discusses a story; nobody reported it yet."""
ONE_TREND = [Trend("flood", 5, 0.0, 5.0)]
EMPTY = {
    "/archive?q=a": lambda world: setattr(world.archive, "hits", HITS),
    "/archive/facets?q=a": lambda world: setattr(world.archive, "hits", HITS),
    "/archive/timeline?q=a": lambda world: setattr(
        world.archive, "bars", [Bar(NOW, 0), Bar(NOW, 2)]
    ),
    "/archive/timeline?q=a&from=2026-01-01": lambda world: setattr(
        world.archive, "bars", [Bar(NOW, 2)]
    ),
    f"/articles/{article(1).id}/similar": lambda world: world.likeness.kept.update(
        {one.id: one for one in (article(2), article(3))}
    ),
    f"/articles/{article(1).id}/coverage": lambda world: world.desk.archived.update(
        {article(1).id: ArchivedArticle(article(1), NOW, NOW, article(1).id)}
    ),
    "/trending": lambda world: world.trending.lists.update({TrendWindow.DAY: ONE_TREND}),
    "/searches/related?q=flood": lambda world: setattr(
        world.kinship,
        "known",
        [QueryRelation("flood", "dyke", people=4, seed_people=9, together=3, shared=6, either=10)],
    ),
}
"""Every route that caches answers, and what fills its empty answer."""


@pytest.mark.parametrize("path", EMPTY)
async def test_an_empty_answer_is_kept_for_seconds(autojump_clock, path):
    """New data (words being counted, a list of trends being made) shows a few seconds later.

    The new answer is then kept as long as any other.
    """
    world = World(
        archive=MemorySearch((), [Bar(NOW, 0)] if "from=" in path else ()),
        likeness=MemoryLikeness(article(1)),
        desk=Desk(archived={article(1).id: ArchivedArticle(POST, NOW, NOW, article(1).id)}),
    )
    empty = await get(world, path)
    assert (empty.headers["Cache-Control"], empty.headers["X-Accel-Expires"]) == (
        "public, max-age=5",
        "5",
    )
    EMPTY[path](world)
    await trio.sleep(CACHE_EMPTY_S - 1)
    still = await get(world, path)
    assert (still.headers["Cache-Status"], still.headers["Cache-Control"]) == (
        "newsintel; hit; ttl=1",
        "public, max-age=5",
    )
    assert await still.get_data() == await empty.get_data()
    await trio.sleep(1)
    found = await get(world, path)
    assert await found.get_data() != await empty.get_data()
    assert (found.headers["Cache-Status"], found.headers["Cache-Control"]) == (
        "newsintel; fwd=miss",
        "public, max-age=60",
    )
    await trio.sleep(59)
    assert (await get(world, path)).headers["Cache-Status"] == "newsintel; hit; ttl=1"


def test_every_route_that_caches_answers_is_in_the_table():
    """A new route must be added to the table above."""
    users = {
        path.stem
        for path in Path(routes.__file__).parent.glob("*.py")
        if "await answer_shared(" in path.read_text()
    }
    assert users == {"archive", "coverage", "similar", "searches"}


async def test_failures_are_not_kept(autojump_clock):
    """The next request asks the archive again, and no cache may keep the failure."""
    world = filled()
    world.archive.raises = UnavailableError("away")
    failed = await get(world, "/archive?q=a")
    assert (failed.status_code, failed.headers["Cache-Control"]) == (503, "no-store")
    world.archive.raises = None
    assert (await get(world, "/archive?q=a")).status_code == 200
