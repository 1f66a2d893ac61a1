"""/me/preferences: set, read and delete preferences, each by its rule."""

import pytest

from newsintel.domain.personal.preferences import MAX_KEYS
from tests.http.personal_world import Person, code, world_with_articles


@pytest.fixture
async def alice():
    """A person who is signed in and has no preferences."""
    return await Person.of(world_with_articles())


async def test_a_preference_is_set_read_and_deleted(alice):
    """The first PUT is a 201, a later one a 200; a deleted preference is a 404."""
    assert await alice.put("/me/preferences/theme", value={"dark": True}) == (
        201,
        {"value": {"dark": True}},
    )
    assert await alice.put("/me/preferences/theme", value=None) == (200, {"value": None})
    assert await alice.put("/me/preferences/language", value="EN") == (201, {"value": "en"})
    assert await alice.get("/me/preferences") == {"preferences": {"theme": None, "language": "en"}}
    assert await alice.get("/me/preferences/theme") == {"value": None}
    assert await alice.delete("/me/preferences/theme") == 204
    assert await alice.delete("/me/preferences/theme") == 404
    assert await code(await alice.ask("GET", "/me/preferences/theme")) == (404, "not_found")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("default_limit", 1000),
        ("preferred_sources", ["bbc"]),
        ("topics", "climate"),
        ("record_history", "no"),
        ("theme", "x" * 5_000),
    ],
)
async def test_a_bad_value_is_a_400_that_names_it(alice, key, value):
    """The error names the member; its message names the preference. Nothing is kept."""
    status, body = await alice.put(f"/me/preferences/{key}", value=value)
    assert (status, body["code"]) == (400, "invalid_body")
    (error,) = body["errors"]
    assert error["field"] == "value"
    assert error["message"].startswith(key)
    assert await alice.get("/me/preferences") == {"preferences": {}}


async def test_a_value_that_only_postgresql_finds_too_large_is_a_400():
    """PostgreSQL writes some numbers out in full, which makes them longer."""
    world = world_with_articles()
    world.preferences.poisoned.add("theme")
    status, body = await (await Person.of(world)).put("/me/preferences/theme", value=[1e300] * 20)
    assert (status, body["errors"][0]["code"]) == (400, "too_large")


@pytest.mark.parametrize("key", ["with space", "x" * 101, "%00", "%ff", "caf%C3%A9"])
async def test_a_key_with_other_characters_is_refused(alice, key):
    """The 400 names `key`, for every method."""
    status, body = await alice.put(f"/me/preferences/{key}", value=1)
    assert (status, body["errors"][0]["field"]) == (400, "key")
    assert [
        (await alice.ask(method, f"/me/preferences/{key}")).status_code
        for method in ("GET", "DELETE")
    ] == [400, 400]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"value": NaN}',
        '{"value": 1, "value": 2}',
        '{"value": "\\u0000"}',
        '{"value": "\\ud800"}',
    ],
)
async def test_a_body_without_a_valid_value_is_refused(alice, body):
    """It must be an object with `value`, which JSON and PostgreSQL can hold."""
    response = await alice.ask(
        "PUT", "/me/preferences/theme", data=body, headers={"Content-Type": "application/json"}
    )
    assert await code(response) == (400, "invalid_body")


async def test_a_body_of_another_type_is_a_415(alice):
    """This also stops plain forms of other sites."""
    response = await alice.ask(
        "PUT", "/me/preferences/theme", data="{}", headers={"Content-Type": "text/plain"}
    )
    assert await code(response) == (415, "unsupported_media_type")


async def test_an_account_has_a_maximum_of_preferences(alice):
    """The 409 says what to do; existing preferences can still be changed."""
    for number in range(MAX_KEYS):
        await alice.put(f"/me/preferences/key{number}", value=number)
    status, body = await alice.put("/me/preferences/one.more", value=1)
    assert (status, body["code"]) == (409, "conflict")
    assert "Forget one" in body["detail"]
    assert (await alice.put("/me/preferences/key0", value="new"))[0] == 200
