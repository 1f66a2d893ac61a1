"""/me/saved: save articles, add notes, search them, delete them."""

from datetime import timedelta

import pytest
import trio

from newsintel.errors import AccountGoneError
from newsintel.http.routes.saved import MAX_NOTES_CHARS
from tests.http.personal_world import ONE, Person, code, world_with_articles
from tests.http.world import NOW, article

PATH = f"/me/saved/{ONE.id}"


@pytest.fixture
def world():
    """A world with sixty articles."""
    return world_with_articles()


@pytest.fixture
async def alice(world):
    """A person who is signed in and has saved nothing."""
    return await Person.of(world)


async def test_an_article_is_saved_once_and_its_notes_can_change(world, alice):
    """The first PUT is a 201, a later one a 200.

    Absent notes stay, null clears them, and the time stays that of the first save.
    """
    status, body = await alice.put(PATH, notes="read later\nask Bob")
    assert (status, body["id"], body["title"]) == (201, ONE.id, ONE.title)
    assert body["saved"] == {"notes": "read later\nask Bob", "saved_at": "2026-03-01T12:00:00.000Z"}
    world.now = NOW + timedelta(hours=1)
    assert await alice.put(PATH) == (200, body)
    status, changed = await alice.put(PATH, notes="other")
    assert (status, changed["saved"]) == (200, body["saved"] | {"notes": "other"})
    assert (await alice.put(PATH, notes=None))[1]["saved"] == body["saved"] | {"notes": None}
    assert [one["saved"]["notes"] for one in (await alice.get("/me/saved"))["articles"]] == [None]
    assert await alice.delete(PATH) == 204
    assert await alice.delete(PATH) == 404
    assert (await alice.get("/me/saved"))["articles"] == []


@pytest.mark.parametrize(
    ("article_id", "status"),
    [
        ("a_" + "z" * 20, 404),
        ("a_x", 404),
        ("1", 404),
        ("%00", 400),
        ("%ff", 400),
        ("x" * 300, 404),
    ],
)
async def test_saving_an_unknown_or_invalid_id_is_refused(alice, article_id, status):
    """An unknown or malformed id is a 404; invalid text is a 400."""
    response = await alice.ask("PUT", f"/me/saved/{article_id}", json={"notes": "x"})
    assert await code(response) == (status, "not_found" if status == 404 else "invalid_parameter")
    assert await alice.delete(f"/me/saved/{article_id}") == status


async def test_an_account_has_a_maximum_of_saves(world, alice):
    """One more is refused and changes nothing; existing saves can still be changed and deleted."""
    world.saved.most = 2
    two, three = (f"/me/saved/{article(number).id}" for number in (2, 3))
    for path in (PATH, two):
        assert (await alice.put(path))[0] == 201
    status, body = await alice.put(three, notes="no room")
    assert (status, body["code"]) == (409, "conflict")
    assert (await alice.put(two, notes="still mine"))[0] == 200
    assert len((await alice.get("/me/saved"))["articles"]) == 2
    assert await alice.delete(PATH) == 204
    assert (await alice.put(three))[0] == 201


async def test_a_write_to_an_account_that_was_just_deleted_is_a_401(world, alice, monkeypatch):
    """The value in the request is not the problem."""

    async def gone(*_args, **_values):
        await trio.lowlevel.checkpoint()
        raise AccountGoneError("deleted")

    monkeypatch.setattr(world.saved, "put", gone)
    monkeypatch.setattr(world.preferences, "put", gone)
    for path, body in ((PATH, {"notes": "x"}), ("/me/preferences/theme", {"value": 1})):
        response = await alice.ask("PUT", path, json=body)
        assert await code(response) == (401, "unauthenticated")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_notes_have_a_maximum_length(alice):
    """It is 10,000 characters of any script; longer notes or other types are a 400."""
    assert (await alice.put(PATH, notes="\N{GRINNING FACE}" * 5_000))[0] == 201
    assert (await alice.put(PATH, notes="é" * MAX_NOTES_CHARS))[0] == 200
    for bad in ("é" * (MAX_NOTES_CHARS + 1), 5, ["x"]):
        status, body = await alice.put(PATH, notes=bad)
        assert (status, body["code"], body["errors"][0]["field"]) == (400, "invalid_body", "notes")
    status, body = await alice.put(PATH, note="typo")
    assert (status, body["errors"][0]["field"]) == (400, "note")


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "x\\udc00"])
async def test_notes_with_nul_or_a_lone_surrogate_are_refused(alice, text):
    """PostgreSQL cannot store them."""
    response = await alice.ask(
        "PUT", PATH, data=f'{{"notes": "{text}"}}', headers={"Content-Type": "application/json"}
    )
    assert await code(response) == (400, "invalid_body")


async def walk(alice, path):
    """Return every page from this path on, each as a list of ids."""
    pages, following = [], path
    while following is not None:
        body = await alice.get(following)
        pages.append([one["id"] for one in body["articles"]])
        following = body["next_cursor"] and f"/me/saved?limit=2&cursor={body['next_cursor']}"
    return pages


async def test_pages_are_stable_while_saves_change(world, alice):
    """The newest come first.

    An article saved meanwhile is on no later page, and none repeats or is missing.
    """
    for number in range(1, 6):
        world.now = NOW + timedelta(minutes=number)
        await alice.put(f"/me/saved/{article(number).id}")
    ids = [article(number).id for number in (5, 4, 3, 2, 1)]
    assert await walk(alice, "/me/saved?limit=2") == [ids[:2], ids[2:4], ids[4:]]
    first = await alice.get("/me/saved?limit=2")
    world.now = NOW + timedelta(minutes=9)
    await alice.put(f"/me/saved/{article(9).id}")
    await alice.delete(f"/me/saved/{article(4).id}")
    assert await walk(alice, f"/me/saved?limit=2&cursor={first['next_cursor']}") == [
        ids[2:4],
        ids[4:],
    ]


async def test_saves_are_searched_by_words(alice):
    """The query is normalised like any other; a cursor belongs to its query."""
    for number in (1, 2, 3):
        await alice.put(f"/me/saved/{article(number).id}", notes="for Mary" if number > 1 else None)
    body = await alice.get("/me/saved?q=++mary+&limit=1")
    assert len(body["articles"]) == 1
    again = await alice.get(f"/me/saved?q=mary&limit=1&cursor={body['next_cursor']}")
    assert (len(again["articles"]), again["next_cursor"]) == (1, None)
    other = await alice.ask("GET", f"/me/saved?limit=1&cursor={body['next_cursor']}")
    assert await code(other) == (400, "invalid_parameter")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=", "q"),
        ("q=" + "x" * 257, "q"),
        ("q=OR+()", "q"),
        ("q=%01", "q"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("page=2", "page"),
    ],
)
async def test_a_bad_parameter_is_named(alice, query, field):
    """The error is the same as on other routes."""
    response = await alice.ask("GET", f"/me/saved?{query}")
    assert response.status_code == 400
    assert (await response.get_json())["errors"][0]["field"] == field
