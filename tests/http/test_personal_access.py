"""Personal routes against anonymous callers, other people, API keys and pages of other sites."""

import pytest

from newsintel.domain.accounts.model import Access
from newsintel.errors import UnavailableError
from newsintel.http.application import create_app
from tests.fakes.accounts import program
from tests.http.personal_world import ONE, TWO, Person, code, past_search, world_with_articles

SEARCH = past_search(1)
THINGS = {
    # personal resources by path: the path that lists each, and the methods that reach it
    f"/me/saved/{ONE.id}": ("/me/saved", ["DELETE"]),
    "/me/preferences/theme": ("/me/preferences", ["GET", "DELETE"]),
    f"/me/history/{SEARCH.id}": ("/me/history", ["DELETE"]),
}
READING = [
    "/me",
    "/me/recommendations",
    "/me/preferences",
    "/me/preferences/theme",
    "/me/saved",
    "/me/history",
]
WRITING = [
    ("PUT", "/me/preferences/theme", {"value": 1}),
    ("DELETE", "/me/preferences/theme", None),
    ("PUT", f"/me/saved/{ONE.id}", {"notes": "x"}),
    ("DELETE", f"/me/saved/{ONE.id}", None),
    ("PUT", f"/me/opened/{ONE.id}", None),
    ("DELETE", f"/me/opened/{ONE.id}", None),
    ("PUT", f"/me/dismissed/{ONE.id}", {"reason": "hide"}),
    ("DELETE", f"/me/dismissed/{ONE.id}", None),
    ("DELETE", "/me/history", None),
    ("DELETE", f"/me/history/{SEARCH.id}", None),
]
SESSION_ONLY = [("DELETE", "/me", None), ("GET", "/me/export", None)]
EVERYTHING = [*(("GET", path, None) for path in READING), *WRITING, *SESSION_ONLY]


async def bob_with_everything(world):
    """Sign bob in, with one of each resource."""
    bob = await Person.of(world, "bob")
    await bob.put(f"/me/saved/{ONE.id}", notes="bob's own")
    await bob.put("/me/preferences/theme", value="bob's own")
    await bob.ask("PUT", f"/me/opened/{ONE.id}")
    await bob.ask("PUT", f"/me/dismissed/{ONE.id}", json={"reason": "less_like_this"})
    world.own_history.kept[1].append(SEARCH)
    return bob


@pytest.mark.parametrize(
    ("path", "method"),
    [(path, method) for path, (_, methods) in THINGS.items() for method in methods],
)
async def test_item_30_nobody_reaches_the_data_of_another_person(path, method):
    """Alice gets the same 404 as for an unknown resource, and Bob still has his."""
    world = world_with_articles()
    bob = await bob_with_everything(world)
    alice = await Person.of(world)
    before = await bob.get(THINGS[path][0])
    theirs = await alice.ask(method, path)
    assert await code(theirs) == (404, "not_found")
    assert await bob.get(THINGS[path][0]) == before
    assert (await bob.ask(method, path)).status_code in (200, 204)


@pytest.mark.parametrize("path", [path for path, *_ in THINGS.values()])
async def test_item_30_lists_have_only_the_persons_own_data(path):
    """Alice's lists have nothing of Bob's."""
    world = world_with_articles()
    await bob_with_everything(world)
    assert "bob" not in str(await (await Person.of(world)).get(path))
    assert "query 1" not in str(await (await Person.of(world)).get(path))


async def test_item_30_a_write_changes_only_the_persons_own_data():
    """The same article or preference exists once for each person."""
    world = world_with_articles()
    bob, alice = await bob_with_everything(world), await Person.of(world)
    assert (await alice.put(f"/me/saved/{ONE.id}", notes="alice's"))[0] == 201
    assert (await alice.put("/me/preferences/theme", value="alice's"))[0] == 201
    assert await alice.delete("/me/history") == 204
    assert (await bob.get("/me/saved"))["articles"][0]["saved"]["notes"] == "bob's own"
    assert await bob.get("/me/preferences/theme") == {"value": "bob's own"}
    assert len((await bob.get("/me/history"))["searches"]) == 1


async def test_item_30_deleting_an_account_leaves_other_accounts_alone():
    """All data and sessions of Alice are deleted; Bob's stay."""
    world = world_with_articles()
    bob, alice = await bob_with_everything(world), await Person.of(world)
    again = Person(world, alice.headers)
    await alice.put(f"/me/saved/{ONE.id}", notes="x")
    assert await alice.delete("/me") == 204
    assert await code(await again.ask("GET", "/me/saved")) == (401, "unauthenticated")
    assert len(world.sessions.kept) == 1
    assert len((await bob.get("/me/saved"))["articles"]) == 1
    newcomer = await Person.of(world)
    assert (await newcomer.get("/me/saved"))["articles"] == []


@pytest.mark.parametrize("path", ["/me/saved", "/me/history"])
async def test_item_30_a_cursor_works_for_one_person_and_list(path):
    """Alice cannot use Bob's cursor, and Bob cannot use it in another list."""
    world = world_with_articles()
    bob, alice = await bob_with_everything(world), await Person.of(world)
    await bob.put(f"/me/saved/{TWO.id}", notes=None)
    world.own_history.kept[1].append(past_search(2))
    cursor = (await bob.get(f"{path}?limit=1"))["next_cursor"]
    other = {"/me/saved": "/me/history", "/me/history": "/me/saved"}[path]
    for person, wrong in ((alice, path), (bob, other)):
        response = await person.ask("GET", f"{wrong}?limit=1&cursor={cursor}")
        assert await code(response) == (400, "invalid_parameter")
        assert (await response.get_json())["errors"][0]["field"] == "cursor"
    assert (await bob.get(f"{path}?limit=1&cursor={cursor}"))["next_cursor"] is None


@pytest.mark.parametrize(("method", "path", "body"), EVERYTHING)
async def test_anonymous_callers_must_sign_in(method, path, body):
    """Every personal route is a 401 with the challenge."""
    response = (
        await create_app(world_with_articles().services)
        .test_client()
        .open(path, method=method, json=body)
    )
    assert await code(response) == (401, "unauthenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("method", "path", "body"), [*WRITING, *(one for one in SESSION_ONLY if one[0] != "GET")]
)
async def test_pages_of_other_sites_can_change_nothing(method, path, body):
    """Their requests are refused before anything is read."""
    world = world_with_articles()
    bob = await bob_with_everything(world)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert await code(await bob.ask(method, path, json=body, headers=headers)) == (
            403,
            "cross_site",
        )
    assert (await bob.get("/me"))["username"] == "bob"
    assert await bob.get("/me/preferences/theme") == {"value": "bob's own"}
    assert (
        len((await bob.get("/me/saved"))["articles"])
        == len((await bob.get("/me/history"))["searches"])
        == 1
    )


@pytest.mark.parametrize("access", [Access.READ, Access.WRITE])
async def test_a_key_can_do_what_its_scope_allows(access):
    """A read key reads; a write key also writes. Neither exports or deletes the account."""
    world = world_with_articles()
    key = Person(world, await program(world, access=access))
    for path in READING:
        assert (await key.ask("GET", path)).status_code in (200, 404)
    for method, path, body in WRITING:
        response = await key.ask(method, path, json=body)
        if access is Access.READ:
            assert await code(response) == (403, "insufficient_scope")
        else:
            assert response.status_code in (200, 201, 204, 404)
    for method, path, body in SESSION_ONLY:
        assert await code(await key.ask(method, path, json=body)) == (403, "session_required")


@pytest.mark.parametrize(("method", "path", "body"), EVERYTHING)
async def test_personal_answers_are_private(method, path, body):
    """No cache may keep them."""
    bob = await bob_with_everything(world_with_articles())
    response = await bob.ask(method, path, json=body)
    assert response.status_code < 300
    assert response.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("method", "path", "body"), [one for one in EVERYTHING if one[:2] != ("GET", "/me")]
)
async def test_a_postgresql_outage_is_a_503(method, path, body):
    """It has Retry-After; personal data is in no cache."""
    world = world_with_articles()
    bob = await bob_with_everything(world)
    for store in (world.preferences, world.saved, world.feedback, world.reading, world.own_history):
        store.away = True
    if path.startswith(("/me/saved/", "/me/opened/", "/me/dismissed/")):
        world.desk.raises = UnavailableError()
    response = await bob.ask(method, path, json=body)
    assert await code(response) == (503, "archive_timeout")
    assert "Retry-After" in response.headers
