"""/me/saved: articles saved, noted, found again and forgotten."""

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
    """Sixty articles to save."""
    return world_with_articles()


@pytest.fixture
async def alice(world):
    """Somebody who is signed in, with nothing saved."""
    return await Person.of(world)


async def test_an_article_is_saved_once(world, alice):
    """201, then 200: absent notes stay, null clears them, and the moment stays that of the first time."""
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
    ("article_id", "status"), [("a_" + "z" * 20, 404), ("a_x", 404), ("1", 404), ("%00", 400), ("%ff", 400), ("x" * 300, 404)]
)
async def test_what_is_no_article_cannot_be_saved(alice, article_id, status):
    """404 for an id that is unknown or none, 400 for what is no text."""
    response = await alice.ask("PUT", f"/me/saved/{article_id}", json={"notes": "x"})
    assert await code(response) == (status, "not_found" if status == 404 else "invalid_parameter")
    assert await alice.delete(f"/me/saved/{article_id}") == status


async def test_there_are_so_many_saves_and_no_more(world, alice):
    """The next is refused and changes nothing; those that are there can still be noted and forgotten."""
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


async def test_an_account_that_is_deleted_meanwhile_is_401(world, alice, monkeypatch):
    """What it would keep is not to blame."""

    async def gone(*_args, **_values):
        await trio.lowlevel.checkpoint()
        raise AccountGoneError("deleted")

    monkeypatch.setattr(world.saved, "put", gone)
    monkeypatch.setattr(world.preferences, "put", gone)
    for path, body in ((PATH, {"notes": "x"}), ("/me/preferences/theme", {"value": 1})):
        response = await alice.ask("PUT", path, json=body)
        assert await code(response) == (401, "unauthenticated")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_notes_have_a_longest(alice):
    """10,000 characters of any script; one more, or what is no text, is a 400 naming them."""
    assert (await alice.put(PATH, notes="\N{GRINNING FACE}" * 5_000))[0] == 201
    assert (await alice.put(PATH, notes="é" * MAX_NOTES_CHARS))[0] == 200
    for bad in ("é" * (MAX_NOTES_CHARS + 1), 5, ["x"]):
        status, body = await alice.put(PATH, notes=bad)
        assert (status, body["code"], body["errors"][0]["field"]) == (400, "invalid_body", "notes")
    status, body = await alice.put(PATH, note="typo")
    assert (status, body["errors"][0]["field"]) == (400, "note")


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "x\\udc00"])
async def test_notes_hold_what_can_be_kept(alice, text):
    """No NUL and no half of a character."""
    response = await alice.ask("PUT", PATH, data=f'{{"notes": "{text}"}}', headers={"Content-Type": "application/json"})
    assert await code(response) == (400, "invalid_body")


async def walk(alice, path):
    """Every page from a path on, each a list of ids."""
    pages, following = [], path
    while following is not None:
        body = await alice.get(following)
        pages.append([one["id"] for one in body["articles"]])
        following = body["next_cursor"] and f"/me/saved?limit=2&cursor={body['next_cursor']}"
    return pages


async def test_pages_do_not_move_under_the_reader(world, alice):
    """The latest first; what is saved while somebody reads is on no later page, and nothing is there twice or missing."""
    for number in range(1, 6):
        world.now = NOW + timedelta(minutes=number)
        await alice.put(f"/me/saved/{article(number).id}")
    ids = [article(number).id for number in (5, 4, 3, 2, 1)]
    assert await walk(alice, "/me/saved?limit=2") == [ids[:2], ids[2:4], ids[4:]]
    first = await alice.get("/me/saved?limit=2")
    world.now = NOW + timedelta(minutes=9)
    await alice.put(f"/me/saved/{article(9).id}")
    await alice.delete(f"/me/saved/{article(4).id}")
    assert await walk(alice, f"/me/saved?limit=2&cursor={first['next_cursor']}") == [ids[2:4], ids[4:]]


async def test_saves_are_found_by_words(alice):
    """Tidied like any query; a cursor belongs to its words."""
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
    """As everywhere."""
    response = await alice.ask("GET", f"/me/saved?{query}")
    assert response.status_code == 400
    assert (await response.get_json())["errors"][0]["field"] == field
