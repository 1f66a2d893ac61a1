"""Pages of other origins: those that are named may read, none may use a cookie."""

import pytest

from newsintel.errors import SettingsError
from newsintel.http.application import create_app
from tests.fakes.accounts import browser
from tests.http.world import World, settings

APP = "https://app.example.org"


async def ask(method, path, headers, origins=APP):
    """A response of a service with these CORS_ORIGINS."""
    world = World(settings=settings(NEWSINTEL_CORS_ORIGINS=origins))
    return await create_app(world.services).test_client().open(path, method=method, headers=headers)


async def test_asvs_07_a_named_origin_may_read():
    """Without credentials, and the answer says that it depends on the origin."""
    response = await ask("GET", "/articles?q=a", {"Origin": APP})
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]
    assert response.headers.getlist("Vary") == ["Cookie, Authorization, Origin"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", APP + ".evil.example", "http://app.example.org", "https://App.example.org"]
)
async def test_asvs_07_no_other_origin_may(origin):
    """Its browser gets no word of permission, but caches learn that there might have been one."""
    response = await ask("GET", "/sources", {"Origin": origin})
    assert response.status_code == 200
    assert not any(name.startswith("Access-Control") for name in response.headers.keys())  # noqa: SIM118 - werkzeug's own mapping
    assert response.headers["Vary"] == "Origin"


async def test_asvs_07_a_preflight_is_answered():
    """For keys and JSON; from a named origin alone."""
    asked = {"Origin": APP, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    response = await ask("OPTIONS", "/me/saved/a_x", asked)
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    assert (await ask("OPTIONS", "/sources", asked | {"Origin": "https://evil.example"})).status_code == 405
    assert (await ask("OPTIONS", "/sources", {"Origin": APP})).status_code == 405


async def test_asvs_07_refusals_can_be_read_too():
    """A page that is told 401 should know it from an outage."""
    response = await ask("GET", "/me/keys", {"Origin": APP})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (401, APP)


async def test_asvs_07_a_named_origin_cannot_use_a_cookie():
    """A browser on another site of ours would send it along: that is no reason to heed it."""
    world = World(settings=settings(NEWSINTEL_CORS_ORIGINS=APP))
    headers = await browser(world) | {"Origin": APP, "Sec-Fetch-Site": "same-site"}
    response = await create_app(world.services).test_client(use_cookies=False).post("/me/keys", headers=headers, json={})
    assert (response.status_code, (await response.get_json())["code"]) == (403, "cross_site")


async def test_without_origins_nothing_is_said():
    """The default."""
    response = await create_app(World().services).test_client().get("/sources", headers={"Origin": APP})
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Vary" not in response.headers


@pytest.mark.parametrize("wrong", ["*", "https://*.example.org", "app.example.org", "https://app.example.org/", "null"])
def test_asvs_07_only_whole_origins_can_be_named(wrong):
    """A wildcard is none."""
    with pytest.raises(SettingsError, match="CORS_ORIGINS"):
        settings(NEWSINTEL_CORS_ORIGINS=wrong)
