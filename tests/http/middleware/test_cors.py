"""CORS: pages of configured origins may read, and no page of another origin can use a cookie."""

import pytest

from newsintel.errors import SettingsError
from newsintel.http.application import create_app
from tests.fakes.accounts import browser
from tests.http.world import World, settings

APP = "https://app.example.org"


async def ask(method, path, headers, origins=APP):
    """Return the response of a service with these CORS_ORIGINS."""
    world = World(settings=settings(NEWSINTEL_CORS_ORIGINS=origins))
    return await create_app(world.services).test_client().open(path, method=method, headers=headers)


async def test_asvs_07_a_named_origin_may_read():
    """Credentials are not allowed, and `Vary` says that the answer depends on the origin."""
    response = await ask("GET", "/articles?q=a", {"Origin": APP})
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]
    assert response.headers.getlist("Vary") == ["Cookie, Authorization, Origin"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        APP + ".evil.example",
        "http://app.example.org",
        "https://App.example.org",
    ],
)
async def test_asvs_07_no_other_origin_may_read(origin):
    """The browser gets no CORS header.

    `Vary` still tells caches that the answer depends on `Origin`.
    """
    response = await ask("GET", "/sources", {"Origin": origin})
    assert response.status_code == 200
    # werkzeug's headers iterate over pairs, not names.
    assert not any(name.startswith("Access-Control") for name in response.headers.keys())  # noqa: SIM118
    assert response.headers["Vary"] == "Origin"


async def test_asvs_07_a_preflight_is_answered():
    """Only a configured origin gets an answer; it allows API keys and JSON."""
    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    response = await ask("OPTIONS", "/me/saved/a_x", asked)
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    assert (
        await ask("OPTIONS", "/sources", asked | {"Origin": "https://evil.example"})
    ).status_code == 405
    assert (await ask("OPTIONS", "/sources", {"Origin": APP})).status_code == 405


async def test_asvs_07_refusals_can_be_read_too():
    """A page must be able to tell a 401 from an outage."""
    response = await ask("GET", "/me/keys", {"Origin": APP})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (401, APP)


async def test_asvs_07_a_named_origin_cannot_use_a_cookie():
    """The browser of a same-site page would send the cookie; the service refuses it."""
    world = World(settings=settings(NEWSINTEL_CORS_ORIGINS=APP))
    headers = await browser(world) | {"Origin": APP, "Sec-Fetch-Site": "same-site"}
    response = (
        await create_app(world.services)
        .test_client(use_cookies=False)
        .post("/me/keys", headers=headers, json={})
    )
    assert (response.status_code, (await response.get_json())["code"]) == (403, "cross_site")


async def test_without_origins_no_cors_header_is_sent():
    """No origin is configured by default."""
    response = (
        await create_app(World().services).test_client().get("/sources", headers={"Origin": APP})
    )
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Vary" not in response.headers


@pytest.mark.parametrize(
    "wrong", ["*", "https://*.example.org", "app.example.org", "https://app.example.org/", "null"]
)
def test_asvs_07_only_whole_origins_can_be_named(wrong):
    """A wildcard or an incomplete origin is an invalid setting."""
    with pytest.raises(SettingsError, match="CORS_ORIGINS"):
        settings(NEWSINTEL_CORS_ORIGINS=wrong)
