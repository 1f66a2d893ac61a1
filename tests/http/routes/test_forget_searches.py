"""Clearing one's searches and deleting the account: out of the counts, the lists that are kept, and the harvests that were one's alone."""

import pytest

from newsintel.domain.search.query import build
from newsintel.http.response.shared_answers import cache_key
from newsintel.http.routes.searches import kept_trends
from tests.http.personal_world import Person, code, world_with_articles
from tests.http.world import answer
from tests.make import search_record

ALICE, BOB = "u_" + "b" * 20, "p" * 32
WAYS = pytest.mark.parametrize("path", ["/me/history", "/me"])


async def world_of(*people):
    """Where some people have searched for a flood, and trends and the answer are kept in Redis."""
    world = world_with_articles()
    for person in people:
        await world.search_marks.add([world.marking.mark(search_record(query="flood", person=person))])
    for one in kept_trends():
        await world.bytes_cache.put(cache_key(*one), b"{}", 60)
    await world.bytes_cache.put("archive:x", b"{}", 60)
    for key in ("hers", "shared"):
        world.harvests.kept[key] = answer(build("flood", sources=()))
    world.own_history.lone[1] = ["hers"]
    return world


@WAYS
async def test_a_persons_searches_are_forgotten_everywhere(path):
    """Others' are not; nor are harvests that somebody else has asked for, and other things that are kept."""
    world = await world_of(ALICE, BOB)
    alice = await Person.of(world)
    assert (await alice.get("/me"))["id"] == ALICE
    assert await alice.delete(path) == 204
    assert [one.mark for one in world.search_marks.kept] == [*world.marking.marks_of(BOB)(world.search_marks.kept[0].day, "flood")]
    assert set(world.bytes_cache.kept) == {"archive:x"}
    assert set(world.harvests.kept) == {"shared"}
    assert world.marking.mark(search_record(query="tide", person=ALICE)).beside == ()
    assert len(world.marking.mark(search_record(query="tide", person=BOB)).beside) == 1


@WAYS
async def test_redis_away_is_no_reason_to_keep_anything(path):
    """What is in PostgreSQL goes; what is in Redis lapses by itself."""
    world = await world_of(ALICE)
    alice = await Person.of(world)
    world.harvests.away = True
    assert await alice.delete(path) == 204
    assert world.search_marks.kept == []


async def test_counts_away_keep_the_account():
    """503, and it can be deleted again: nobody is left in the counts without an account to take them out."""
    world = await world_of(ALICE)
    alice = await Person.of(world)
    world.search_marks.away = True
    assert await code(await alice.ask("DELETE", "/me")) == (503, "archive_timeout")
    world.search_marks.away = False
    assert await alice.delete("/me") == 204
    assert world.search_marks.kept == []


async def test_trends_are_right_after_a_deletion():
    """The next answer is made anew, not Redis's of before."""
    world = await world_of(ALICE)
    alice = await Person.of(world)
    reads = world.trending.reads
    assert await alice.delete("/me/history") == 204
    await alice.get("/trending")
    assert world.trending.reads == reads + 1
