"""GET and POST /me/page: what a person sees and changes, without scripts."""

import pytest

from newsintel.domain.accounts.model import Access
from newsintel.http.application import create_app
from tests.fakes.accounts import browser, program
from tests.http.pages.parsed_page import ParsedPage, get_page
from tests.http.personal_world import past_search
from tests.http.world import World, settings

PAGES = "text/html,application/xhtml+xml,*/*;q=0.8"
FORM = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
DEV = {"NEWSINTEL_DEV_SIGN_IN": "1"}


def client_of(world):
    """A client without cookies of its own."""
    return create_app(world.services).test_client(use_cookies=False)


async def show(world, headers=None, path="/me/page"):
    """Return the parsed page and its response."""
    return await get_page(client_of(world), path, headers=headers or {})


async def post(world, headers, **fields):
    """Send a form of the page; return the parsed answer and its response."""
    response = await client_of(world).post("/me/page", headers=FORM | headers, form=fields)
    return ParsedPage(await response.get_data(as_text=True)), response


async def test_a_person_sees_what_is_theirs():
    """Account, history, preferences, keys, feeds and sessions, and where the export is."""
    world = World()
    headers, client = await browser(world), client_of(world)
    world.own_history.kept[1].append(past_search(1))
    key = {"name": "my reader", "scope": "read", "expires_at": "2027-01-01T00:00:00Z"}
    made = await client.post("/me/keys", headers=headers, json=key)
    await client.put("/me/preferences/topics", headers=headers, json={"value": ["a b", "<c"]})
    page, response = await show(world, headers)
    assert page.texts("#username") == ["alice"]
    cells = ["my reader", "read", "1 Mar 2026", "1 Jan 2027", "never", "Revoke my reader"]
    assert page.texts("#api-keys tbody td") == cells
    assert page.texts(".me .plain a") == ["query 1"]
    assert page.texts("textarea[name=topics]") == ["a b <c"]
    assert page.texts("#sessions + ul li") != []
    assert page.attributes(".me p a", "href") == ["export"]
    assert (await made.get_json())["key"] not in await response.get_data(as_text=True)
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"


async def test_an_anonymous_visitor_sees_the_ways_to_sign_in():
    """A link for each provider; a form for the development sign-in, if it is on."""
    page, response = await show(World(), path="/me/page?next=/saved")
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert page.attributes("main a", "href") == ["../auth/reddit/login?next=/saved"]
    assert page.attributes("main form", "action") == []
    page, _ = await show(World(settings=settings(**DEV)), path="/me/page?next=//evil.example")
    assert page.attributes("main form", "action") == ["page"]
    assert page.attributes("main input[name=next]", "value") == ["/me/page"]
    world = World(settings=settings(NEWSINTEL_SIGN_IN="off"))
    page, _ = await show(world, await program(world, access=Access.READ))
    assert page.texts("#username") == []  # a key is not a session


async def test_the_development_sign_in_needs_no_script():
    """The browser gets a session and goes on. Without the setting, the form does not exist."""
    world = World(settings=settings(**DEV))
    _, response = await post(world, {}, do="sign_in", username="alice", next="/saved?q=a")
    assert (response.status_code, response.headers["Location"]) == (303, "../saved?q=a")
    cookie = response.headers["Set-Cookie"].partition(";")[0]
    page, _ = await show(world, {"Cookie": cookie})
    assert page.texts("#username") == ["alice"]
    _, response = await post(world, {"Cookie": cookie}, do="sign_out")
    assert (response.status_code, response.headers["Location"]) == (303, "../")
    page, _ = await show(world, {"Cookie": cookie})
    assert page.texts("#username") == []
    _, response = await post(World(), {}, do="sign_in", username="alice")
    assert response.status_code == 400


async def test_foreign_text_is_escaped():
    """Other people wrote the name at a provider and the name of a key."""
    world = World(settings=settings(NEWSINTEL_OIDC_LABEL="<b>"))
    evil = "\"><script src=//evil.example></script>'"
    headers = await browser(world, evil)
    await post(world, headers, do="create_key", name=evil, scope="write")
    page, _ = await show(world, headers)
    assert page.texts("title, #username, #api-keys td:first-child") == [
        f"{evil} – newsintel",
        evil,
        evil,
    ]
    assert len(page.attributes("script", "src")) == 1


async def test_a_key_is_made_shown_once_and_revoked():
    """It works from the moment it is shown."""
    world = World()
    headers = await browser(world)
    page, response = await post(world, headers, do="create_key", name="reader", scope="write")
    assert response.status_code == 200
    [key] = page.texts("#key")
    me = await client_of(world).get("/me", headers={"Authorization": f"Bearer {key}"})
    assert (await me.get_json())["username"] == "alice"
    page, _ = await show(world, headers)
    assert page.texts("#key") == []
    [key_id] = page.attributes("#api-keys input[name=id]", "value")
    _, response = await post(world, headers, do="revoke_key", id=key_id)
    assert (response.status_code, response.headers["Location"]) == (303, "page")
    page, _ = await show(world, headers)
    assert page.texts("#api-keys") == []
    _, response = await post(world, headers, do="revoke_key", id=key_id)
    assert response.status_code == 404


async def test_a_private_feed_is_made_and_ended():
    """Its address is shown once."""
    world = World()
    headers = await browser(world)
    page, _ = await post(world, headers, do="create_feed", name="floods", shows="archive", q="a")
    [address] = page.texts("#feed-url")
    assert address.startswith("http://localhost:8000/feeds/")
    page, _ = await show(world, headers)
    assert "floods" in page.texts(".me .plain li")[0]
    [feed_id] = page.attributes("#feeds ~ ul input[name=id]", "value")[:1]
    _, response = await post(world, headers, do="revoke_feed", id=feed_id)
    assert response.status_code == 303
    assert not world.feeds.kept[1]


async def test_the_history_is_forgotten_one_by_one_or_whole():
    """Each entry has a button."""
    world = World()
    headers = await browser(world)
    world.own_history.kept[1] += [past_search(1), past_search(2), past_search(3)]
    _, response = await post(world, headers, do="forget_search", id=past_search(2).id)
    assert response.status_code == 303
    assert [one.query for one in world.own_history.kept[1]] == ["query 1", "query 3"]
    await post(world, headers, do="clear_history")
    page, _ = await show(world, headers)
    assert "No searches." in page.texts(".me p")


async def test_preferences_are_kept_and_removed():
    """An empty field removes its preference. Those that no field has stay."""
    world = World()
    headers, client = await browser(world), client_of(world)
    await client.put("/me/preferences/theme", headers=headers, json={"value": "dark"})
    fields = {
        "language": "DE",
        "default_limit": "5",
        "sort": "newest",
        "dedupe": "strict",
        "topics": "climate\r\n\r\n floods \r\n",
        "excluded_topics": "",
        "record_history": "0",
    }
    _, response = await post(world, headers, do="set_preferences", **fields)
    assert response.status_code == 303
    kept = await (await client.get("/me/preferences", headers=headers)).get_json()
    assert kept["preferences"] == {
        "theme": "dark",
        "language": "de",
        "default_limit": 5,
        "sort": "newest",
        "dedupe": "strict",
        "topics": ["climate", "floods"],
        "record_history": False,
    }
    page, _ = await show(world, headers)
    assert page.attributes("option[selected]", "value") == ["newest", "strict", "0"]
    await post(world, headers, do="set_preferences", record_history="1")
    kept = await (await client.get("/me/preferences", headers=headers)).get_json()
    assert kept["preferences"] == {"theme": "dark"}
    page, response = await post(world, headers, do="set_preferences", topics="?!")
    assert response.status_code == 400
    assert "topics" in page.texts(".lead")[0]


async def test_sessions_end_one_by_one_or_all():
    """The browser's own session ends with its cookie."""
    world = World()
    headers, other = await browser(world), await browser(world)
    page, _ = await show(world, headers)
    ids = page.attributes("#sessions ~ ul input[name=id]", "value")
    assert len(ids) == 2
    await post(world, headers, do="end_session", id=ids[0])
    alive = [one for one in (headers, other) if (await show(world, one))[0].texts("#username")]
    assert len(alive) == 1
    _, response = await post(world, alive[0], do="end_all_sessions")
    assert (response.status_code, response.headers["Location"]) == (303, "../")
    assert (await show(world, alive[0]))[0].texts("#username") == []


async def test_an_account_is_deleted_by_its_name():
    """A click alone deletes nothing."""
    world = World()
    headers = await browser(world)
    _, response = await post(world, headers, do="delete_account", username="bob")
    assert response.status_code == 400
    assert world.accounts.kept
    _, response = await post(world, headers, do="delete_account", username="alice")
    assert (response.status_code, response.headers["Location"]) == (303, "../")
    assert not world.accounts.kept


@pytest.mark.parametrize(
    ("fields", "headers", "status"),
    [
        ({"do": "create_key"}, {}, 400),
        ({"do": "create_key", "name": "x" * 101}, {}, 400),
        ({"do": "create_key", "name": "x", "scope": "session"}, {}, 400),
        ({"do": "revoke_key"}, {}, 400),
        ({"do": "nothing"}, {}, 400),
        ({}, {}, 400),
        ({"do": "clear_history"}, {"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_a_wrong_form_changes_nothing(fields, headers, status):
    """The answer is a page with the status."""
    world = World()
    page, response = await post(world, await browser(world) | headers, **fields)
    assert response.status_code == status
    assert page.texts("h1") != []
    assert not world.api_keys.kept


async def test_the_forms_need_a_session():
    """Signing out alone needs none."""
    world = World()
    for headers, status in (({}, 401), (await program(world), 403)):
        _, response = await post(world, headers, do="clear_history")
        assert response.status_code == status
    _, response = await post(world, {}, do="sign_out")
    assert response.status_code == 303


async def test_asvs_24_an_outage_is_a_page():
    """It has the status of the API."""
    world = World()
    headers = await browser(world)
    world.sessions.away = True
    page, response = await show(world, headers)
    assert response.status_code == 503
    assert page.texts("h1") == ["Sign-in not available"]
