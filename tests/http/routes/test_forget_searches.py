"""Clearing the history and deleting the account remove a person's searches everywhere.

The counts and cached lists no longer have them. Cached harvests that only this person asked for are
deleted.
"""

import pytest

from newsintel.domain.search.query import build_query
from newsintel.http.response.shared_answers import build_cache_key
from newsintel.http.routes.searches import list_cached_trends
from tests.http.personal_world import Person, code, world_with_articles
from tests.http.world import answer
from tests.make import search_record

ALICE, BOB = "u_" + "b" * 20, "p" * 32
WAYS = pytest.mark.parametrize("path", ["/me/history", "/me"])


async def world_of(*people):
    """Return a world in which these people searched for `flood`.

    Redis holds trends, another cached answer and two harvests.
    """
    world = world_with_articles()
    for person in people:
        await world.search_marks.add(
            [world.marking.mark(search_record(query="flood", person=person))]
        )
    for one in list_cached_trends():
        await world.bytes_cache.put(build_cache_key(*one), b"{}", 60)
    await world.bytes_cache.put("archive:x", b"{}", 60)
    for key in ("hers", "shared"):
        world.harvests.kept[key] = answer(build_query("flood", sources=()))
    world.own_history.lone[1] = ["hers"]
    return world


@WAYS
async def test_memory_shows_no_trend_of_a_forgotten_search(path):
    """An answer of the last seconds is not sent any more."""
    world = await world_of(ALICE)
    alice = await Person.of(world)
    key, kept = ("/trending", b""), alice.services.search.kept
    await alice.ask("GET", "/trending")
    assert kept.get(key) is not None
    assert await alice.delete(path) == 204
    assert kept.get(key) is None


@WAYS
async def test_a_persons_searches_are_removed_everywhere(path):
    """Searches of others, shared harvests and other cached answers stay."""
    world = await world_of(ALICE, BOB)
    alice = await Person.of(world)
    assert (await alice.get("/me"))["id"] == ALICE
    assert await alice.delete(path) == 204
    assert [one.mark for one in world.search_marks.kept] == [
        *world.marking.make_marks_finder(BOB)(world.search_marks.kept[0].day, "flood")
    ]
    assert set(world.bytes_cache.kept) == {"archive:x"}
    assert set(world.harvests.kept) == {"shared"}
    assert world.marking.mark(search_record(query="tide", person=ALICE)).beside == ()
    assert len(world.marking.mark(search_record(query="tide", person=BOB)).beside) == 1


@WAYS
async def test_a_redis_outage_does_not_stop_the_deletion(path):
    """The rows in PostgreSQL are deleted; entries in Redis expire on their own."""
    world = await world_of(ALICE)
    alice = await Person.of(world)
    world.harvests.away = True
    assert await alice.delete(path) == 204
    assert world.search_marks.kept == []


async def test_if_the_counts_cannot_be_cleared_the_account_stays():
    """The 503 can be retried.

    Otherwise the person's searches would stay in the counts without an account.
    """
    world = await world_of(ALICE)
    alice = await Person.of(world)
    world.search_marks.away = True
    assert await code(await alice.ask("DELETE", "/me")) == (503, "archive_timeout")
    world.search_marks.away = False
    assert await alice.delete("/me") == 204
    assert world.search_marks.kept == []


async def test_trends_are_read_again_after_a_deletion():
    """The next answer does not come from the old list in Redis."""
    world = await world_of(ALICE)
    alice = await Person.of(world)
    reads = world.trending.reads
    assert await alice.delete("/me/history") == 204
    await alice.get("/trending")
    assert world.trending.reads == reads + 1
