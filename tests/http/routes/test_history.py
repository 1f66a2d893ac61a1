"""/me/history: a person's searches, page by page, and their deletion."""

from datetime import timedelta

import pytest

from tests.http.personal_world import Person, code, past_search, world_with_articles
from tests.http.world import NOW


@pytest.fixture
def world():
    """A world in which alice has made five searches."""
    made = world_with_articles()
    made.own_history.kept[1] = [past_search(number) for number in range(1, 6)]
    return made


@pytest.fixture
async def alice(world):
    """The person who made the searches."""
    return await Person.of(world)


async def test_searches_are_listed_latest_first(alice):
    """Each has its query, its number of results and its time."""
    body = await alice.get("/me/history")
    assert body["next_cursor"] is None
    assert [one["query"] for one in body["searches"]] == [
        f"query {number}" for number in range(1, 6)
    ]
    assert body["searches"][0] == {
        "id": past_search(1).id,
        "query": "query 1",
        "results_count": 1,
        "searched_at": "2026-03-01T11:59:59.000Z",
    }


async def test_pages_are_stable_while_the_history_changes(world, alice):
    """A new or deleted search neither repeats nor hides another one."""
    first = await alice.get("/me/history?limit=2")
    world.own_history.kept[1].append(past_search(0))
    assert await alice.delete(f"/me/history/{past_search(2).id}") == 204
    second = await alice.get(f"/me/history?limit=2&cursor={first['next_cursor']}")
    third = await alice.get(f"/me/history?limit=2&cursor={second['next_cursor']}")
    assert [one["query"][-1] for one in second["searches"] + third["searches"]] == ["3", "4", "5"]
    assert third["next_cursor"] is None


@pytest.mark.parametrize(
    ("search_id", "status"),
    [("h_" + "z" * 20, 404), ("1", 404), ("%00", 400), ("%ff", 400), ("x" * 300, 404)],
)
async def test_deleting_an_unknown_search_is_refused(alice, search_id, status):
    """An unknown or malformed id is a 404; invalid text is a 400."""
    refused = await code(await alice.ask("DELETE", f"/me/history/{search_id}"))
    assert refused == (status, "not_found" if status == 404 else "invalid_parameter")


async def test_the_whole_history_is_deleted_at_once(world, alice):
    """The answer is a 204, also if nothing is left; searches in the future stay."""
    world.own_history.kept[1].append(past_search(9, searched_at=NOW + timedelta(seconds=1)))
    assert await alice.delete("/me/history") == 204
    assert await alice.delete("/me/history") == 204
    assert [one["query"] for one in (await alice.get("/me/history"))["searches"]] == ["query 9"]
