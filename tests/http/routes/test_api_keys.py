"""API keys: shown once, valid until revoked, limited to their scope."""

from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator

from newsintel.domain.accounts.model import MOST_KEYS
from newsintel.domain.security.keys import digest_secret
from newsintel.domain.text.moments import format_time
from newsintel.http.application import create_app
from tests.fakes.accounts import browser, program
from tests.http.world import NOW, World


async def ask(world, method, path, headers, **body):
    """Send one request and return the response."""
    return (
        await create_app(world.services)
        .test_client(use_cookies=False)
        .open(path, method=method, headers=headers, **body)
    )


async def made(world, headers, **body):
    """Create a key and return the body that its owner gets."""
    response = await ask(
        world, "POST", "/me/keys", headers, json={"name": "a reader", "scope": "read"} | body
    )
    assert response.status_code == 201, await response.get_data()
    return await response.get_json()


async def test_a_key_is_shown_once_and_kept_as_a_digest():
    """A key is 256 bits behind a prefix; the list shows everything but the key."""
    world = World()
    headers = await browser(world)
    body = await made(world, headers, expires_at=format_time(NOW + timedelta(days=1)))
    key = body.pop("key")
    assert key.startswith("ni_")
    assert len(key) == 46
    assert [kept for _, _, kept in world.api_keys.kept.values()] == [digest_secret(key)]
    listed = await ask(world, "GET", "/me/keys", headers)
    assert (await listed.get_json())["keys"] == [body]
    assert key not in await listed.get_data(as_text=True)
    assert listed.headers["Cache-Control"] == "private, no-store"


async def test_a_key_works_until_it_is_revoked():
    """After that every request with it is a 401, also on public routes."""
    world = World()
    headers = await browser(world)
    body = await made(world, headers)
    bearer = {"Authorization": f"Bearer {body['key']}"}
    assert (await ask(world, "GET", "/sources", bearer)).status_code == 200
    assert (await ask(world, "DELETE", f"/me/keys/{body['id']}", headers)).status_code == 204
    assert (await ask(world, "GET", "/sources", bearer)).status_code == 401
    assert (await ask(world, "DELETE", f"/me/keys/{body['id']}", headers)).status_code == 404


async def test_asvs_30_the_key_of_another_account_cannot_be_revoked():
    """The request is a 404 as for an unknown key, and the key still works."""
    world = World()
    alice, bob = await browser(world), await browser(world, "bob")
    body = await made(world, bob)
    assert (await ask(world, "DELETE", f"/me/keys/{body['id']}", alice)).status_code == 404
    assert (await (await ask(world, "GET", "/me/keys", alice)).get_json())["keys"] == []
    assert (
        await ask(world, "GET", "/sources", {"Authorization": f"Bearer {body['key']}"})
    ).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": " \u2003"}, "name"),
        ({"scope": "admin"}, "scope"),
        ({"scope": "session"}, "scope"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": format_time(NOW)}, "expires_at"),
        ({"key": "ni_mine"}, "key"),
    ],
)
async def test_a_wrong_member_is_named(body, field):
    """No key is made."""
    world = World()
    response = await ask(
        world, "POST", "/me/keys", await browser(world), json={"name": "n", "scope": "read"} | body
    )
    problem = await response.get_json()
    assert (
        response.status_code,
        problem["code"],
        [error["field"] for error in problem["errors"]],
    ) == (400, "invalid_body", [field])
    assert world.api_keys.kept == {}


async def test_an_account_has_a_maximum_of_keys():
    """One more is a conflict until a key is revoked."""
    world = World()
    headers = await browser(world)
    for number in range(MOST_KEYS):
        world.api_keys.kept[f"k_{number}"] = (1, None, "")
    response = await ask(world, "POST", "/me/keys", headers, json={"name": "n", "scope": "read"})
    assert (response.status_code, (await response.get_json())["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/me/keys"), ("POST", "/me/keys"), ("DELETE", "/me/keys/k_x")]
)
async def test_no_key_can_list_create_or_revoke_keys(method, path):
    """Otherwise a stolen key could survive its revocation."""
    world = World()
    refused = await ask(world, method, path, await program(world))
    assert (refused.status_code, (await refused.get_json())["code"]) == (403, "session_required")


async def test_bodies_match_the_description():
    """The key list, a new key, a refused body and the sessions match /openapi.json."""
    world = World()
    headers = await browser(world)
    document = await (await ask(world, "GET", "/openapi.json", {})).get_json()
    for method, path, body in (
        ("POST", "/me/keys", {"name": "n", "scope": "read"}),
        ("POST", "/me/keys", {"name": 1}),
        ("GET", "/me/keys", None),
        ("GET", "/me/sessions", None),
    ):
        response = await ask(world, method, path, headers, **({"json": body} if body else {}))
        content = document["paths"][path][method.lower()]["responses"][str(response.status_code)][
            "content"
        ]
        schema = content[response.content_type]["schema"] | {"components": document["components"]}
        Draft202012Validator(schema).validate(await response.get_json())
    assert document["paths"]["/me/keys"]["post"]["security"] == [{"session": []}]
    assert document["components"]["securitySchemes"]["session"]["name"] == "newsintel_dev"
