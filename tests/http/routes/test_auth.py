"""Signing in and out. A browser returns from the provider once; every error offers a next step."""

from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from newsintel.domain.security.keys import digest_secret
from newsintel.errors import DeniedError, InvalidParameterError, SignInUnavailableError
from newsintel.http.application import create_app
from tests.fakes.accounts import browser, program
from tests.http.world import World, settings

HTTPS = {"NEWSINTEL_PUBLIC_URL": "https://news.example.org"}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def client(world):
    """Return a client that keeps no cookies, so each test sends exactly its own."""
    return create_app(world.services).test_client(use_cookies=False)


def cookies(response):
    """Return the cookies that a response sets: value and attributes by name."""
    lines = [line.split("; ") for line in response.headers.getlist("Set-Cookie")]
    return {line[0].partition("=")[0]: (line[0].partition("=")[2], line[1:]) for line in lines}


async def left(world, path="/auth/reddit/login", **headers):
    """Send a browser to the provider; return its state, and its cookie as a header."""
    response = await client(world).get(path, headers=headers)
    assert response.status_code == 303, await response.get_data()
    [(name, (value, _))] = cookies(response).items()
    return parse_qs(urlsplit(response.headers["Location"]).query)["state"][0], {
        "Cookie": f"{name}={value}"
    }


async def back(world, state, headers, code="alice", **more):
    """Return the response to a browser that comes back from the provider."""
    query = {"state": state, "code": code} | more
    given = {name: value for name, value in query.items() if value is not None}
    return await client(world).get("/auth/reddit/callback", query_string=given, headers=headers)


async def signed_in(world, code="alice"):
    """Sign a browser in and return its cookie as a header."""
    response = await back(world, *await left(world), code=code)
    assert response.status_code == 303
    return {
        "Cookie": f"newsintel_dev={cookies(response)['newsintel_dev'][0]}",
        "Sec-Fetch-Site": "same-origin",
    }


async def test_asvs_01_a_browser_signs_in_through_the_provider():
    """The service keeps the state, and a cookie binds it to the browser.

    Then the browser is signed in and redirected to the page that it asked for.
    """
    world = World()
    state, headers = await left(world, "/auth/reddit/login?next=/me/saved")
    assert list(world.attempts.kept) == [state]
    response = await back(world, state, headers)
    assert (response.status_code, response.headers["Location"]) == (303, "/me/saved")
    assert response.headers["Cache-Control"] == "no-store"
    session_id, _ = cookies(response)["newsintel_dev"]
    account = world.accounts.kept[world.accounts.identities["reddit", "alice"]]
    assert world.sessions.kept[digest_secret(session_id)].person == account.public_id
    assert world.tokens.kept[1, "reddit"].access_token == "access-of-alice"
    assert cookies(response)["newsintel_leaving_dev"][0] == ""


async def test_asvs_01_a_state_works_once():
    """A second return with it does not reach the provider."""
    world = World()
    state, headers = await left(world)
    assert (await back(world, state, headers)).status_code == 303
    again = await back(world, state, headers)
    assert (again.status_code, (await again.get_json())["errors"][0]["field"]) == (400, "state")
    assert world.provider.finished == ["alice"]


@pytest.mark.parametrize("wrong", ["state", "cookie", "no cookie", "no state"])
async def test_asvs_01_a_forged_return_does_not_reach_the_provider(wrong):
    """It does not sign the browser in either."""
    world = World()
    state, headers = await left(world)
    other_state, other_headers = await left(world)
    state = {"state": "x" * 43, "no state": None}.get(wrong, state)
    headers = {"cookie": other_headers, "no cookie": {}}.get(wrong, headers)
    response = await back(world, state, headers)
    assert (response.status_code, (await response.get_json())["errors"][0]["field"]) == (
        400,
        "state",
    )
    assert world.provider.finished == []
    assert "newsintel_dev" not in cookies(response)
    assert other_state != state


async def test_asvs_02_the_return_address_does_not_depend_on_the_request():
    """Host and forwarding headers do not change it; no response contains a token."""
    world = World(settings=settings(NEWSINTEL_ALLOWED_HOSTS="other.example"))
    headers = {"Host": "other.example", "X-Forwarded-Host": "evil.example"}
    response = await client(world).get("/auth/reddit/login", headers=headers)
    assert response.status_code == 303
    assert "other.example" not in response.headers["Location"]
    done = await back(world, *await left(world))
    assert "access-of" not in str(done.headers) + str(await done.get_data())


async def test_asvs_03_sign_in_makes_a_new_session_and_ends_the_old_one():
    """The old session may belong to another account."""
    world = World()
    old = await signed_in(world, "alice")
    state, leaving = await left(world)
    both = {"Cookie": f"{old['Cookie']}; {leaving['Cookie']}"}
    response = await back(world, state, both, code="bob")
    new = cookies(response)["newsintel_dev"][0]
    assert set(world.sessions.kept) == {digest_secret(new)}
    assert new not in old["Cookie"]


async def test_asvs_03_a_planted_session_is_not_adopted():
    """The service never uses an id that it did not make."""
    world = World()
    state, leaving = await left(world)
    planted = "p" * 43
    response = await back(world, state, {"Cookie": f"newsintel_dev={planted}; {leaving['Cookie']}"})
    assert cookies(response)["newsintel_dev"][0] != planted
    assert digest_secret(planted) not in world.sessions.kept


async def test_asvs_03_signing_out_ends_the_session_itself():
    """A copy of the cookie does not work afterwards."""
    world = World()
    headers = await signed_in(world)
    response = await client(world).post("/auth/logout", headers=headers)
    assert response.status_code == 204
    assert cookies(response)["newsintel_dev"][0] == ""
    assert world.sessions.kept == {}
    assert (await client(world).get("/me/sessions", headers=headers)).status_code == 401
    assert (await client(world).post("/auth/logout", headers=headers)).status_code == 204


@pytest.mark.parametrize(
    ("environ", "prefix", "secure"),
    [({}, "newsintel{}_dev", False), (HTTPS, "__Host-newsintel{}", True)],
    ids=["http", "https"],
)
async def test_asvs_05_both_cookies_have_strict_attributes(environ, prefix, secure):
    """They are HttpOnly and Lax and have no Domain.

    Over HTTPS they have the prefix `__Host-`, so no other host can set them.
    """
    world = World(settings=settings(NEWSINTEL_ALLOWED_HOSTS="localhost", **environ))
    going = await client(world).get("/auth/reddit/login")
    [(name, (value, attributes))] = cookies(going).items()
    assert name in (prefix.format("_leaving"), prefix.format("-leaving"))
    state = parse_qs(urlsplit(going.headers["Location"]).query)["state"][0]
    done = cookies(await back(world, state, {"Cookie": f"{name}={value}"}))
    for shown in (attributes, done[prefix.format("")][1]):
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(shown)
        assert ("Secure" in shown) == secure
        assert not any(one.startswith("Domain") for one in shown)
    assert "Max-Age=600" in attributes
    assert "Max-Age=7776000" in done[prefix.format("")][1]


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "/\\evil.example", "https://evil.example/", "/%0d%0aSet-Cookie:%20a=b"],
)
async def test_asvs_10_a_foreign_redirect_target_is_replaced(wanted):
    """The browser goes to /me/page."""
    world = World()
    response = await back(world, *await left(world, f"/auth/reddit/login?next={wanted}"))
    assert response.headers["Location"] == "/me/page"


SAID = [
    ("invalid_scope", "invalid_scope"),
    ("x" * 100, "x" * 100),
    ("x" * 101, "not a word"),
    ("é", "not a word"),
    ("a b", "not a word"),
]


@pytest.mark.parametrize(("error", "logged"), SAID)
async def test_only_a_valid_return_logs_a_refusal_as_an_error(error, logged):
    """Anyone can invent a return without state, without cookie or with the wrong ones.

    Such a return is not an error of the service.
    """
    world = World()
    state, headers = await left(world)
    other_state, _ = await left(world)
    made_up = [(None, headers), (None, {}), ("made-up", headers), (other_state, headers)]
    with capture_logs() as lines:
        for another, sent in made_up:
            assert (await back(world, another, sent, code=None, error=error)).status_code in (
                400,
                503,
            )
    assert not [line for line in lines if line["log_level"] == "error"]
    with capture_logs() as lines:
        assert (await back(world, state, headers, code=None, error=error)).status_code == 503
    assert [line["error"] for line in lines if line["event"] == "provider_refuses_us"] == [logged]


OUTCOMES = [
    (None, {"error": "access_denied", "code": None}, 401, "Start again"),
    (None, {"error": "invalid_scope", "code": None}, 503, "Tell the operator"),
    (None, {"error": "server_error", "code": None}, 503, "Try again"),
    (None, {"error": "access_denied", "code": None, "state": None}, 401, "Start again"),
    (None, {"code": None}, 400, "code is required"),
    (InvalidParameterError("code", "used", "Used. Start it again."), {}, 400, "Start it again"),
    (SignInUnavailableError("Elsewhere cannot be reached.", 30), {}, 503, "cannot be reached"),
    (DeniedError("unauthenticated", "Suspended."), {}, 401, "Suspended"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("raises", "query", "status", "says"), OUTCOMES)
@pytest.mark.parametrize("accept", [BROWSER, "application/json", "*/*"])
async def test_fault_39_every_failed_return_says_what_to_do(raises, query, status, says, accept):
    """A program gets problem+json.

    A browser gets a page with a link to start again, and no script or style.
    """
    world = World()
    state, headers = await left(world)
    world.provider.raises = raises
    response = await back(
        world, **{"state": state, "headers": headers | {"Accept": accept}} | query
    )
    body = await response.get_data(as_text=True)
    assert (response.status_code, says in body) == (status, True)
    assert (response.headers.get("Retry-After") is not None) == (status == 503)
    if raises is not None and status == 503:
        assert response.headers["Retry-After"] == "30"
    if accept == BROWSER:
        assert response.content_type == "text/html; charset=utf-8"
        assert 'href="http://localhost:8000/auth/reddit/login"' in body
        assert "<script" not in body
        assert "style" not in body
    else:
        assert response.content_type == "application/problem+json"
    assert world.sessions.kept == {}


async def test_a_page_escapes_the_message():
    """Any text can end up in a message."""
    world = World()
    state, headers = await left(world)
    world.provider.raises = DeniedError("unauthenticated", "<script>alert(1)</script>")
    response = await back(world, state, headers | {"Accept": BROWSER})
    assert "<script>" not in await response.get_data(as_text=True)


async def test_asvs_25_a_page_cannot_be_reached_by_its_opener():
    """The error pages of a sign-in, which a foreign page may open, and a person's own page."""
    world = World()
    state, headers = await left(world)
    world.provider.raises = DeniedError("unauthenticated", "no")
    error = await back(world, state, headers | {"Accept": BROWSER})
    own = await create_app(world.services).test_client().get("/me/page")
    for page in (error, own):
        assert page.content_type.startswith("text/html")
        assert page.headers.getlist("Cross-Origin-Opener-Policy") == ["same-origin"]
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


async def test_a_provider_may_add_parameters_to_the_return():
    """Many add `iss` or `session_state`; a repeated parameter of ours is still refused."""
    world = World()
    state, headers = await left(world)
    assert (
        await back(world, state, headers, iss="https://a.example", session_state="x")
    ).status_code == 303
    response = await client(world).get(
        f"/auth/reddit/callback?state={state}&state={state}&code=a", headers=headers
    )
    assert response.status_code == 400


@pytest.mark.parametrize("store", ["attempts", "sessions", "accounts"])
async def test_fault_16_a_store_outage_makes_sign_in_a_503(store):
    """It has Retry-After; it is not a 401 and does not hang."""
    world = World()
    state, headers = await left(world)
    getattr(world, store).away = True
    response = await back(world, state, headers)
    assert (response.status_code, (await response.get_json())["code"]) == (503, "not_ready")
    assert response.headers["Retry-After"]
    assert "newsintel_dev" not in cookies(response)


async def test_fault_16_without_redis_sign_in_and_sign_out_are_503():
    """The return from the provider could not be checked, and the session could not be ended."""
    world = World()
    headers = await signed_in(world)
    world.attempts.away = world.sessions.away = True
    assert (await client(world).get("/auth/reddit/login")).status_code == 503
    out = await client(world).post("/auth/logout", headers=headers)
    assert (out.status_code, cookies(out)) == (503, {})


async def test_only_invited_people_can_sign_in():
    """Others get a 403 that says so, and no account is made."""
    world = World(settings=settings(NEWSINTEL_SIGN_IN="reddit:alice"))
    refused = await back(world, *await left(world), code="bob")
    assert (refused.status_code, (await refused.get_json())["code"]) == (403, "not_invited")
    assert world.accounts.kept == {}
    assert (await back(world, *await left(world), code="alice")).status_code == 303


async def test_configured_providers_are_listed():
    """The routes of other providers are 404."""
    world = World(settings=settings(NEWSINTEL_DEV_SIGN_IN="1"))
    listed = await (await client(world).get("/auth")).get_json()
    assert [(one["name"], one["method"], one["url"]) for one in listed["providers"]] == [
        ("reddit", "GET", "/auth/reddit/login"),
        ("dev", "POST", "/auth/dev/login"),
    ]
    assert (
        await client(World()).post("/auth/dev/login", json={"username": "a"})
    ).status_code == 404
    assert (await client(World()).get("/auth/oidc/login")).status_code == 404


async def test_development_sign_in_accepts_any_name():
    """The request must come from our own page or a program."""
    world = World(settings=settings(NEWSINTEL_DEV_SIGN_IN="1"))
    response = await client(world).post("/auth/dev/login", json={"username": "carol"})
    assert (response.status_code, world.accounts.kept[1].username) == (204, "carol")
    assert "newsintel_dev" in cookies(response)
    headers = {"Origin": "https://evil.example"}
    assert (
        await client(world).post("/auth/dev/login", json={"username": "carol"}, headers=headers)
    ).status_code == 403
    assert (await client(world).post("/auth/dev/login", json={})).status_code == 400


async def test_sign_out_with_a_key_ends_no_session():
    """A key has no session."""
    world = World()
    session = await browser(world)
    response = await client(world).post("/auth/logout", headers=session | await program(world))
    assert (response.status_code, len(world.sessions.kept)) == (204, 1)


async def test_asvs_28_sign_in_and_its_failure_are_logged(caplog):
    """The lines name the provider; they have no code, state or cookie."""
    world = World()
    with capture_logs() as logs:
        await signed_in(world, "alice")
        state, headers = await left(world)
        await back(world, "x" * 43, headers, code="planted-code")
    assert [(line["event"], line["provider"]) for line in logs if "provider" in line] == [
        ("signed_in", "reddit"),
        ("sign_in_failed", "reddit"),
    ]
    assert not any(
        secret in str(logs) + caplog.text for secret in (state, "planted-code", headers["Cookie"])
    )
