"""GET /me/page: what a person sees who has signed in, or has not; what its policy allows, and that nobody's text becomes markup."""

from html.parser import HTMLParser

import pytest

from newsintel.domain.accounts.model import Access
from newsintel.http.application import create_app
from tests.fakes.accounts import browser, program
from tests.http.world import World, settings

PAGES = "text/html,application/xhtml+xml,*/*;q=0.8"


class Seen(HTMLParser):
    """A page as a browser takes it apart: its text, and every element with its attributes."""

    def __init__(self, markup):
        super().__init__()
        self.text, self.elements = "", []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag, attribute):
        """An attribute of every element of a kind."""
        return [attrs.get(attribute) for found, attrs in self.elements if found == tag]


async def page(world, headers=None):
    """The page and its response."""
    response = await create_app(world.services).test_client(use_cookies=False).get("/me/page", headers=headers or {})
    return Seen(await response.get_data(as_text=True)), response


async def test_a_person_sees_who_they_are_and_their_keys():
    """By the session; the keys themselves are nowhere."""
    world = World()
    headers = await browser(world)
    client = create_app(world.services).test_client(use_cookies=False)
    made = await client.post("/me/keys", headers=headers, json={"name": "my reader", "scope": "read", "expires_at": "2027-01-01T00:00:00Z"})
    seen, response = await page(world, headers)
    assert (response.status_code, response.content_type) == (200, "text/html; charset=utf-8")
    for told in ("alice", "my reader", "read", "2026-03-01", "2027-01-01", "never"):
        assert told in seen.text
    assert (await made.get_json())["key"] not in seen.text
    assert seen.all("form", "action") == ["../auth/logout", f"keys/{(await made.get_json())['id']}", "keys"]
    assert response.headers["Cache-Control"] == "private, no-store"


async def test_its_policy_lets_only_this_service_in():
    """Scripts and styles are files of ours, and nothing of either is inline; other answers keep the policy of nothing."""
    world = World()
    seen, response = await page(world, await browser(world))
    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    assert response.headers.getlist("Content-Security-Policy") == [response.headers["Content-Security-Policy"]]
    assert policy.pop("default-src") == policy.pop("frame-ancestors") == policy.pop("base-uri") == "'none'"
    assert set(policy.values()) == {"'self'"}
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert seen.all("script", "src") == ["../static/account.js"]
    assert not any(name == "style" or name.startswith("on") for _, attrs in seen.elements for name in attrs)
    assert "style" not in [tag for tag, _ in seen.elements]
    client = create_app(world.services).test_client()
    for name, kind in (("account.js", "text/javascript"), ("account.css", "text/css")):
        asset = await client.get(f"/static/{name}")
        assert (asset.status_code, asset.mimetype) == (200, kind)
        assert asset.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert (await client.get("/static/application.py")).status_code == 404


async def test_nobodys_text_is_markup():
    """A name at a provider and the name of a key are what others wrote."""
    world = World(settings=settings(NEWSINTEL_OIDC_LABEL="<b>"))
    evil = "\"><script src=//evil.example></script>'"
    headers = await browser(world, evil)
    await create_app(world.services).test_client(use_cookies=False).post("/me/keys", headers=headers, json={"name": evil, "scope": "write"})
    seen, _ = await page(world, headers)
    assert seen.text.count(evil) == 3  # the title, the name, the key
    assert seen.all("script", "src") == ["../static/account.js"]


async def test_somebody_who_is_not_signed_in_sees_how():
    """A link for each provider, a form for the development's; and says so where there is no way."""
    seen, response = await page(World())
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert seen.all("a", "href") == ["../auth/reddit/login?next=/me/page"]
    assert seen.all("form", "action") == []
    seen, _ = await page(World(settings=settings(NEWSINTEL_DEV_SIGN_IN="1")))
    assert seen.all("form", "action") == ["../auth/dev/login"]
    off, world = settings(NEWSINTEL_SIGN_IN="off"), World()
    world.settings = off
    seen, _ = await page(world, await program(world, access=Access.READ))
    assert "alice" not in seen.text  # a key is not a session: it could not do what the page offers


@pytest.mark.parametrize(("accept", "kind"), [(PAGES, "text/html; charset=utf-8"), ("*/*", "application/problem+json")])
async def test_asvs_24_an_outage_is_told_in_a_page(accept, kind):
    """With a link to try again; the policy is that of nothing."""
    world = World()
    headers = await browser(world) | {"Accept": accept}
    world.sessions.away = True
    seen, response = await page(world, headers)
    assert (response.status_code, response.content_type) == (503, kind)
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert seen.all("a", "href") == (["http://localhost:8000/me/page"] * 2 if accept == PAGES else [])


async def test_it_is_described():
    """As text of its own kind."""
    document = await (await create_app(World().services).test_client().get("/openapi.json")).get_json()
    for path, kind in (("/me/page", "text/html"), ("/static/account.js", "text/javascript"), ("/static/account.css", "text/css")):
        assert list(document["paths"][path]["get"]["responses"]["200"]["content"]) == [kind]
