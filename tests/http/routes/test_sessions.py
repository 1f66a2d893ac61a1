"""The sessions of an account, and how the account ends them."""

import pytest

from newsintel.domain.accounts.model import Tokens
from newsintel.errors import SignInUnavailableError, UnavailableError
from newsintel.http.application import create_app
from tests.fakes.accounts import browser, program
from tests.http.world import NOW, World


async def ask(world, method, path, headers):
    """Send one request and return the response."""
    return (
        await create_app(world.services)
        .test_client(use_cookies=False)
        .open(path, method=method, headers=headers)
    )


async def listed(world, headers):
    """Return an account's sessions as it sees them."""
    return (await (await ask(world, "GET", "/me/sessions", headers)).get_json())["sessions"]


async def test_an_account_sees_its_own_sessions():
    """It sees which one is current, but neither id nor digest of a cookie."""
    world = World()
    here, _elsewhere, _bob = await browser(world), await browser(world), await browser(world, "bob")
    sessions = await listed(world, here)
    assert [session["current"] for session in sessions] == [False, True]
    assert {session["client"] for session in sessions} == {"a browser"}
    assert not any(digest in str(sessions) for digest in world.sessions.kept)


async def test_asvs_30_only_its_owner_ends_a_session():
    """For others it is a 404 like an unknown one; ending the current session removes the cookie."""
    world = World()
    alice, bob = await browser(world), await browser(world, "bob")
    [of_bob] = await listed(world, bob)
    assert (await ask(world, "DELETE", f"/me/sessions/{of_bob['id']}", alice)).status_code == 404
    assert (await ask(world, "DELETE", "/me/sessions/s_" + "a" * 20, alice)).status_code == 404
    response = await ask(world, "DELETE", f"/me/sessions/{of_bob['id']}", bob)
    assert response.status_code == 204
    assert response.headers["Set-Cookie"].startswith("newsintel_dev=;")
    assert (await ask(world, "GET", "/me/sessions", bob)).status_code == 401
    assert len(await listed(world, alice)) == 1


async def test_asvs_04_sign_out_everywhere_ends_all_sessions_and_revokes_tokens():
    """Sessions of other accounts stay; the provider revokes the tokens."""
    world = World()
    here, elsewhere, bob = await browser(world), await browser(world), await browser(world, "bob")
    world.tokens.kept[1, "reddit"] = tokens = Tokens("a", "r", NOW)
    assert (await ask(world, "DELETE", "/me/sessions", here)).status_code == 204
    assert (await ask(world, "GET", "/me/sessions", elsewhere)).status_code == 401
    assert len(await listed(world, bob)) == 1
    assert (world.provider.revoked, world.tokens.kept) == ([tokens], {})


async def test_asvs_09_a_provider_outage_does_not_stop_the_sign_out():
    """The tokens are deleted even if they could not be revoked."""
    world = World()
    here = await browser(world)
    world.tokens.kept[1, "reddit"] = Tokens("a", "r", NOW)
    world.provider.raises = SignInUnavailableError("away")
    assert (await ask(world, "DELETE", "/me/sessions", here)).status_code == 204
    assert (world.tokens.kept, world.sessions.kept) == ({}, {})


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/me/sessions"), ("DELETE", "/me/sessions"), ("DELETE", "/me/sessions/s_x")],
)
async def test_no_key_may_touch_sessions(method, path):
    """Its scope does not matter; without credentials the answer is a 401."""
    world = World()
    refused = await ask(world, method, path, await program(world))
    assert (refused.status_code, (await refused.get_json())["code"]) == (403, "session_required")
    assert (await ask(world, method, path, {})).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/me/sessions"),
        ("DELETE", "/me/sessions"),
        ("DELETE", "/me/sessions/s_" + "a" * 20),
        ("GET", "/me/export"),
    ],
)
async def test_a_failure_of_redis_is_not_one_of_the_archive(monkeypatch, method, path):
    """The caller was identified; then Redis failed, or it takes no writes any more."""
    world = World()
    here = await browser(world)

    async def fail(*_given):
        raise UnavailableError("redis is away")

    for name in ("list_of_user", "end_session", "end_user_sessions"):
        monkeypatch.setattr(world.sessions, name, fail)
    response = await ask(world, method, path, here)
    problem = await response.get_json()
    assert (response.status_code, problem["code"]) == (503, "not_ready")
    assert problem["detail"].startswith("Your sessions are not available")
    assert response.headers["Retry-After"]
