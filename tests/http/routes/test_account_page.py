"""GET /me/page: what a person sees, the page's policy, and the escaping of foreign text."""

from html.parser import HTMLParser

import pytest

from newsintel.domain.accounts.model import Access
from newsintel.http.application import create_app
from tests.fakes.accounts import browser, program
from tests.http.world import World, settings

PAGES = "text/html,application/xhtml+xml,*/*;q=0.8"


class Seen(HTMLParser):
    """A parsed page: its text, and every element with its attributes."""

    def __init__(self, markup):
        super().__init__()
        self.text, self.elements = "", []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag, attribute):
        """Return one attribute of every element of a kind."""
        return [attrs.get(attribute) for found, attrs in self.elements if found == tag]


async def page(world, headers=None):
    """Return the parsed page and its response."""
    response = (
        await create_app(world.services)
        .test_client(use_cookies=False)
        .get("/me/page", headers=headers or {})
    )
    return Seen(await response.get_data(as_text=True)), response


async def test_a_person_sees_who_they_are_and_their_keys():
    """The page needs a session and never shows a key itself."""
    world = World()
    headers = await browser(world)
    client = create_app(world.services).test_client(use_cookies=False)
    made = await client.post(
        "/me/keys",
        headers=headers,
        json={"name": "my reader", "scope": "read", "expires_at": "2027-01-01T00:00:00Z"},
    )
    seen, response = await page(world, headers)
    assert (response.status_code, response.content_type) == (200, "text/html; charset=utf-8")
    for told in ("alice", "my reader", "read", "2026-03-01", "2027-01-01", "never"):
        assert told in seen.text
    assert (await made.get_json())["key"] not in seen.text
    assert seen.all("form", "action") == [
        "../auth/logout",
        f"keys/{(await made.get_json())['id']}",
        "keys",
    ]
    assert response.headers["Cache-Control"] == "private, no-store"


async def test_the_page_policy_allows_only_this_service():
    """Scripts and styles are files of the service, never inline.

    All other answers keep the policy that allows nothing.
    """
    world = World()
    seen, response = await page(world, await browser(world))
    policy = dict(
        part.strip().split(" ", 1)
        for part in response.headers["Content-Security-Policy"].split(";")
    )
    assert response.headers.getlist("Content-Security-Policy") == [
        response.headers["Content-Security-Policy"]
    ]
    assert (
        policy.pop("default-src")
        == policy.pop("frame-ancestors")
        == policy.pop("base-uri")
        == "'none'"
    )
    assert set(policy.values()) == {"'self'"}
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert seen.all("script", "src") == ["../static/account.js"]
    assert not any(
        name == "style" or name.startswith("on") for _, attrs in seen.elements for name in attrs
    )
    assert "style" not in [tag for tag, _ in seen.elements]
    client = create_app(world.services).test_client()
    for name, kind in (("account.js", "text/javascript"), ("account.css", "text/css")):
        asset = await client.get(f"/static/{name}")
        assert (asset.status_code, asset.mimetype) == (200, kind)
        assert (
            asset.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        )
    assert (await client.get("/static/application.py")).status_code == 404


async def test_foreign_text_is_escaped():
    """Other people wrote the name at a provider and the name of a key."""
    world = World(settings=settings(NEWSINTEL_OIDC_LABEL="<b>"))
    evil = "\"><script src=//evil.example></script>'"
    headers = await browser(world, evil)
    await (
        create_app(world.services)
        .test_client(use_cookies=False)
        .post("/me/keys", headers=headers, json={"name": evil, "scope": "write"})
    )
    seen, _ = await page(world, headers)
    assert seen.text.count(evil) == 3  # the title, the name, the key
    assert seen.all("script", "src") == ["../static/account.js"]


async def test_an_anonymous_visitor_sees_the_ways_to_sign_in():
    """There is a link for each provider and a form for the development sign-in, if they are on."""
    seen, response = await page(World())
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert seen.all("a", "href") == ["../auth/reddit/login?next=/me/page"]
    assert seen.all("form", "action") == []
    seen, _ = await page(World(settings=settings(NEWSINTEL_DEV_SIGN_IN="1")))
    assert seen.all("form", "action") == ["../auth/dev/login"]
    off, world = settings(NEWSINTEL_SIGN_IN="off"), World()
    world.settings = off
    seen, _ = await page(world, await program(world, access=Access.READ))
    assert "alice" not in seen.text  # a key is not a session, so it cannot do what the page offers


@pytest.mark.parametrize(
    ("accept", "kind"), [(PAGES, "text/html; charset=utf-8"), ("*/*", "application/problem+json")]
)
async def test_asvs_24_a_browser_sees_an_outage_as_a_page(accept, kind):
    """The page has a link to try again; its policy allows nothing."""
    world = World()
    headers = await browser(world) | {"Accept": accept}
    world.sessions.away = True
    seen, response = await page(world, headers)
    assert (response.status_code, response.content_type) == (503, kind)
    assert (
        response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    )
    assert seen.all("a", "href") == (
        ["http://localhost:8000/me/page"] * 2 if accept == PAGES else []
    )


async def test_the_description_has_the_page_and_its_files():
    """Each has its own media type."""
    document = await (
        await create_app(World().services).test_client().get("/openapi.json")
    ).get_json()
    for path, kind in (
        ("/me/page", "text/html"),
        ("/static/account.js", "text/javascript"),
        ("/static/account.css", "text/css"),
    ):
        assert list(document["paths"][path]["get"]["responses"]["200"]["content"]) == [kind]
