"""Access checks: what a caller needs for a route, and from which site a request may come."""

import pytest
from attrs import frozen
from quart import Response

from newsintel.domain.accounts.model import Access, AnonymousReason, Caller
from newsintel.errors import DeniedError, SignInUnavailableError
from newsintel.http import application
from newsintel.http.application import create_app
from newsintel.http.request.access import (
    check_access,
    check_site,
    format_origin,
    get_current_account,
)
from newsintel.http.request.json_body import Member
from newsintel.http.request.json_kinds import string
from newsintel.http.request.query_kinds import free_text
from newsintel.http.route import Method, Route
from newsintel.http.routes.ids import IdParameters
from tests.fakes.accounts import browser, program
from tests.http.world import World

OUTCOMES = {
    # access: the problem code for each need (None, read, write, session)
    None: (None, "unauthenticated", "unauthenticated", "unauthenticated"),
    Access.READ: (None, None, "insufficient_scope", "session_required"),
    Access.WRITE: (None, None, None, "session_required"),
    Access.SESSION: (None, None, None, None),
}


@pytest.mark.parametrize("access", OUTCOMES)
@pytest.mark.parametrize(
    ("column", "need"), [*enumerate((None, Access.READ, Access.WRITE, Access.SESSION))]
)
def test_access_must_cover_the_need(access, column, need):
    """A key may read, or read and write.

    Some routes need a session, because only a person at a browser should use them.
    """
    code = OUTCOMES[access][column]
    if code is None:
        check_access(Caller("p", access=access), need)
        return
    with pytest.raises(DeniedError) as error:
        check_access(Caller("p", access=access), need)
    assert error.value.code == code
    assert (error.value.challenge or "").startswith("Bearer ") == (
        code in ("unauthenticated", "insufficient_scope")
    )


@pytest.mark.parametrize("need", [None, Access.READ, Access.SESSION])
def test_a_bad_key_is_refused_everywhere(need):
    """This includes public routes, so that the caller learns that the key is bad."""
    with pytest.raises(DeniedError) as error:
        check_access(Caller("p", doubt=AnonymousReason.BAD_KEY), need)
    assert error.value.code == "unauthenticated"
    assert 'error="invalid_token"' in error.value.challenge


def test_an_unknown_caller_may_use_public_routes_alone():
    """Other routes do not ask for a new sign-in, because the session may be valid."""
    check_access(Caller("p", doubt=AnonymousReason.UNKNOWN), None)
    with pytest.raises(SignInUnavailableError):
        check_access(Caller("p", doubt=AnonymousReason.UNKNOWN), Access.READ)


OURS = "https://news.example.org"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Cookie": "a=b"},
        {"Origin": OURS, "Cookie": "a=b"},
    ],
)
def test_asvs_06_own_pages_and_programs_may_write(headers):
    """A request without any sign of a browser comes from a program."""
    check_site(headers, OURS)


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "a=b"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Cookie": "a=b"},
        {"Sec-Fetch-Site": "none", "Cookie": "a=b"},
        {"Sec-Fetch-Site": "cross-site", "Origin": OURS},
        {"Origin": "https://evil.example"},
        {"Origin": "null", "Cookie": "a=b"},
        {"Origin": "http://news.example.org", "Cookie": "a=b"},
        {"Origin": OURS + ".evil.example", "Cookie": "a=b"},
        {"Authorization": "Basic YTpi", "Sec-Fetch-Site": "cross-site", "Cookie": "a=b"},
        {"Authorization": "Bearer x", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_asvs_06_pages_of_other_sites_may_not_write(headers):
    """Sec-Fetch-Site counts before Origin; a cookie without either is refused."""
    with pytest.raises(DeniedError) as error:
        check_site(headers, OURS)
    assert error.value.code == "cross_site"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://News.Example.org/base", "https://news.example.org"),
        ("https://news.example.org:443", "https://news.example.org"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_in_the_form_that_browsers_send(url, origin):
    """It is in lower case and has no default port."""
    assert format_origin(url) == origin


@frozen
class NameParameters(IdParameters):
    """A path's id and a body's name."""

    name: str | None


@pytest.fixture
def world(monkeypatch):
    """Return a world with a route for each need; the view answers with the caller's name."""

    async def show(_services, given: IdParameters):
        return Response(
            f"{get_current_account().username} {getattr(given, 'name', None)}",
            headers={"X-Accel-Expires": "60", "Cache-Control": "public"},
        )

    async def rename(services, given: NameParameters):
        return await show(services, given)

    rows = tuple(
        Route(
            f"/{need}/{{id}}",
            view,
            "",
            {200: None},
            in_path={"id": free_text(9)},
            method=method,
            need=need,
            body=body,
        )
        for need in Access
        for method, view, body in (
            (Method.GET, show, ()),
            (Method.PUT, rename, (Member("name", string(1, 9), "", None),)),
        )
    )
    monkeypatch.setattr(application.sources, "build_routes", lambda: rows)
    return World()


async def code(world, method, path, headers, **body):
    """Return a problem's code, or the text of the response."""
    response = (
        await create_app(world.services)
        .test_client()
        .open(path, method=method, headers=headers, **body)
    )
    if response.content_type == "application/problem+json":
        assert response.headers["Cache-Control"] == "no-store"
        return (await response.get_json())["code"]
    return await response.get_data(as_text=True)


async def test_asvs_17_a_personal_answer_is_never_cached(world):
    """The route's own caching headers do not count."""
    response = (
        await create_app(world.services).test_client().get("/read/1", headers=await browser(world))
    )
    assert await response.get_data(as_text=True) == "alice None"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "X-Accel-Expires" not in response.headers


async def test_access_is_checked_before_the_body(world):
    """The order is: who asks, from which site, then what was sent."""
    cookie, key, reader = (
        await browser(world),
        await program(world),
        await program(world, access=Access.READ),
    )
    elsewhere = cookie | {"Sec-Fetch-Site": "cross-site"}
    assert await code(world, "PUT", "/write/1", {}, json={"wrong": 1}) == "unauthenticated"
    assert await code(world, "PUT", "/write/1", reader, json={"name": "x"}) == "insufficient_scope"
    assert await code(world, "PUT", "/session/1", key, json={"name": "x"}) == "session_required"
    assert await code(world, "PUT", "/write/1", elsewhere, json={"wrong": 1}) == "cross_site"
    assert await code(world, "PUT", "/write/1", cookie, json={"wrong": 1}) == "invalid_body"
    assert await code(world, "PUT", "/write/1", cookie, data="name=x") == "unsupported_media_type"
    assert await code(world, "PUT", "/write/1", cookie, json={"name": "x" * 70_000}) == "too_large"
    assert await code(world, "PUT", "/write/1", cookie, json={"name": "x"}) == "alice x"
    assert await code(world, "PUT", "/write/1", key, json={}) == "alice None"
    assert await code(world, "GET", "/session/1", elsewhere) == "alice None"
    assert await code(world, "POST", "/write/1", key) == "method_not_allowed"


async def test_asvs_06_a_key_proves_our_own_client_and_a_proxy_password_does_not(world):
    """A browser sends a proxy's password on its own, but never a key.

    It also sends the password for another site's page.
    """
    cookie, key = await browser(world), await program(world)
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert await code(world, "PUT", "/write/1", key | elsewhere, json={"name": "x"}) == "alice x"
    assert (
        await code(
            world,
            "PUT",
            "/write/1",
            cookie | elsewhere | {"Authorization": "Basic YTpi"},
            json={"name": "x"},
        )
        == "cross_site"
    )
    assert (
        await code(
            world, "PUT", "/write/1", cookie | {"Authorization": "Basic YTpi"}, json={"name": "x"}
        )
        == "alice x"
    )
    assert await code(world, "GET", "/read/1", {"Authorization": "Basic YTpi"}) == "unauthenticated"


async def test_asvs_24_an_outage_is_a_503(world):
    """The problem has Retry-After and does not name the store."""
    headers = await browser(world)
    world.sessions.away = True
    response = await create_app(world.services).test_client().get("/read/1", headers=headers)
    assert (response.status_code, (await response.get_json())["code"]) == (503, "not_ready")
    assert response.headers["Retry-After"] == "1"
    assert "redis" not in await response.get_data(as_text=True)


async def test_a_bad_key_is_401_on_public_routes_too():
    """The problem has the challenge; an expired cookie is anonymous there."""
    client = create_app(World().services).test_client()
    refused = await client.get("/sources", headers={"Authorization": "Bearer x"})
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (
        401,
        'Bearer realm="newsintel", error="invalid_token"',
    )
    assert (
        await client.get("/sources", headers={"Cookie": f"newsintel_dev={'x' * 43}"})
    ).status_code == 200
    assert (
        await client.get("/sources", headers={"Authorization": "Basic YTpi"})
    ).status_code == 200
