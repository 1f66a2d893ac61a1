"""/me/history: the searches a person made, page by page, and forgotten."""

from datetime import timedelta

import pytest

from tests.http.personal_world import Person, code, past_search, world_with_articles
from tests.http.world import NOW


@pytest.fixture
def world():
    """Where alice has made five searches."""
    made = world_with_articles()
    made.own_history.kept[1] = [past_search(number) for number in range(1, 6)]
    return made


@pytest.fixture
async def alice(world):
    """Who made them."""
    return await Person.of(world)


async def test_searches_are_listed_latest_first(alice):
    """Each with what was asked, what was found and when."""
    body = await alice.get("/me/history")
    assert body["next_cursor"] is None
    assert [one["query"] for one in body["searches"]] == [f"query {number}" for number in range(1, 6)]
    assert body["searches"][0] == {
        "id": past_search(1).id,
        "query": "query 1",
        "results_count": 1,
        "searched_at": "2026-03-01T11:59:59.000Z",
    }


async def test_pages_do_not_move_under_the_reader(world, alice):
    """What is searched or forgotten meanwhile neither repeats a search nor hides one."""
    first = await alice.get("/me/history?limit=2")
    world.own_history.kept[1].append(past_search(0))
    assert await alice.delete(f"/me/history/{past_search(2).id}") == 204
    second = await alice.get(f"/me/history?limit=2&cursor={first['next_cursor']}")
    third = await alice.get(f"/me/history?limit=2&cursor={second['next_cursor']}")
    assert [one["query"][-1] for one in second["searches"] + third["searches"]] == ["3", "4", "5"]
    assert third["next_cursor"] is None


@pytest.mark.parametrize(("search_id", "status"), [("h_" + "z" * 20, 404), ("1", 404), ("%00", 400), ("%ff", 400), ("x" * 300, 404)])
async def test_what_one_did_not_search_cannot_be_forgotten(alice, search_id, status):
    """404 for an id that is unknown or none, 400 for what is no text."""
    refused = await code(await alice.ask("DELETE", f"/me/history/{search_id}"))
    assert refused == (status, "not_found" if status == 404 else "invalid_parameter")


async def test_all_is_forgotten_at_once(world, alice):
    """204, also with nothing to forget; up to now."""
    world.own_history.kept[1].append(past_search(9, searched_at=NOW + timedelta(seconds=1)))
    assert await alice.delete("/me/history") == 204
    assert await alice.delete("/me/history") == 204
    assert [one["query"] for one in (await alice.get("/me/history"))["searches"]] == ["query 9"]
