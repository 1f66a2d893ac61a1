"""GET and POST /alerts: saved searches as a page, with and without scripts."""

from datetime import timedelta

import pytest

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import (
    DeliveryState,
    LoggedAttempt,
    LoggedDelivery,
    Outcome,
)
from newsintel.domain.alerts.model import Channel, Match, Preview
from newsintel.domain.archive.model import Hit
from newsintel.errors import InvalidParameterError
from newsintel.http.application import create_app
from tests.fakes.accounts import browser
from tests.http.pages.parsed_page import ParsedPage, get_page
from tests.http.world import NOW, World, article

FORM = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def world():
    """A service without saved searches."""
    return World()


@pytest.fixture
async def headers(world):
    """The cookie of a person."""
    return await browser(world)


def client_of(world):
    """A client without cookies of its own."""
    return create_app(world.services).test_client(use_cookies=False)


async def post(world, headers, **fields):
    """Send a form of the page; return the response."""
    return await client_of(world).post("/alerts", headers=FORM | headers, form=fields)


async def save(world, headers, **fields):
    """Save a search by the form; return its id."""
    response = await post(world, headers, do="create", **({"q": "storm"} | fields))
    assert response.status_code == 200, await response.get_data()
    return list(world.saved_searches.rows)[-1]


async def test_a_search_is_saved_by_the_form(world, headers):
    """The answer shows the address of the feed, this once."""
    response = await post(world, headers, do="create", q="storm <b>", kind="feed", every="day")
    page = ParsedPage(await response.get_data(as_text=True))
    assert page.texts("#searches li > a") == ["storm <b>"]
    (url,) = page.texts("#feed-url")
    assert "/feeds/" in url
    again, _ = await get_page(client_of(world), "/alerts", headers=headers)
    assert again.texts("#feed-url") == []
    assert again.texts("#searches li > a") == ["storm <b>"]


async def test_a_webhook_shows_its_secret(world, headers):
    """Once, too."""
    response = await post(
        world, headers, do="create", q="storm", kind="webhook", to="https://e.org/hook", name="Mine"
    )
    page = ParsedPage(await response.get_data(as_text=True))
    assert page.texts("#secret")[0].startswith("whsec_")
    assert page.texts("#searches li > a") == ["Mine"]


async def test_a_search_is_paused_resumed_tested_and_deleted(world, headers):
    """By its buttons; each leads back to the page."""
    search = await save(world, headers)
    world.deliveries.owners[search] = 1
    for do, where in (
        ("pause", "alerts"),
        ("resume", "alerts"),
        ("test", f"alerts?search={search}"),
    ):
        done = await post(world, headers, do=do, id=search)
        assert (done.status_code, done.headers["Location"]) == (303, where)
        page, _ = await get_page(client_of(world), "/alerts", headers=headers)
        assert page.texts("#searches li > b") == (["Paused"] if do == "pause" else [])
    assert world.deliveries.tests == [search]
    await post(world, headers, do="delete", id=search)
    page, _ = await get_page(client_of(world), "/alerts", headers=headers)
    assert page.texts("#searches li") == []


async def test_a_search_is_changed_by_the_form(world, headers):
    """It begins with what the search has, keeps what was typed for a preview, and its channels."""
    search = await save(world, headers, q="storm", every="day", later_members="1", language="en")
    page, _ = await get_page(client_of(world), f"/alerts?edit={search}", headers=headers)
    assert page.attributes("#create input[name=edit]", "value") == [search]
    assert page.attributes("#create input[name=q]", "value") == ["storm"]
    assert page.attributes("#create input[name=language]", "value") == ["en"]
    assert page.texts("#create option[selected]") == ["each day at 08:00", "alert again"]
    assert page.texts("#create button") == ["Preview", "Save changes"]
    typed, _ = await get_page(
        client_of(world), f"/alerts?edit={search}&q=flood&every=hour", headers=headers
    )
    assert typed.attributes("#create input[name=q]", "value") == ["flood"]
    assert typed.texts("#create option[selected]")[0] == "each hour"
    done = await post(world, headers, do="change", edit=search, q="flood", name="Mine")
    assert (done.status_code, done.headers["Location"]) == (303, f"alerts?search={search}")
    _, row = world.saved_searches.rows[search]
    assert (row.name, row.query.q, row.query.language) == ("Mine", "flood", None)
    assert (row.every.value, row.later_members) == ("at_once", False)
    assert [channel.kind for channel in row.channels] == [ChannelKind.FEED]


async def test_the_preview_draws_days(world, headers):
    """With the number of stories, publishers and articles; the form keeps what was typed."""
    days = tuple((NOW - timedelta(days=30 - day), day % 3) for day in range(31))
    hits = (Hit(article(1), NOW, NOW),)
    world.saved_searches.previewed = Preview(30, days, (("BBC", 9),), hits, later_members=4)
    page, _ = await get_page(
        client_of(world), "/alerts?q=storm&language=EN&every=hour&kind=ntfy", headers=headers
    )
    assert page.texts("#create ~ .count") == [
        "30 stories; later publishers would alert 4 more times"
    ]
    assert len(page.texts("svg path.bar")) == sum(1 for _, count in days if count)
    assert page.texts(".chips li") == ["BBC 9"]
    assert page.texts(".reports a") == [article(1).title]
    assert page.attributes("#create input[name=q]", "value") == ["storm"]
    assert page.texts("#create option[selected]") == ["ntfy", "each hour", "add nothing"]


async def test_a_query_that_is_refused_shows_the_reason(world, headers):
    """On the page, beside the form."""
    world.saved_searches.refusal = InvalidParameterError("q", "too_broad", "It matches everything.")
    page, response = await get_page(client_of(world), "/alerts?q=-storm", headers=headers)
    assert response.status_code == 200
    assert page.texts("#fault") == ["It matches everything."]


async def test_the_delivery_log_has_each_attempt(world, headers):
    """And the matches beside it."""
    search = await save(world, headers)
    attempt = LoggedAttempt(NOW, Outcome.REFUSED, 503, "HTTP <503>", 31)
    world.deliveries.owners[search] = 1
    world.deliveries.log[search] = [
        LoggedDelivery(
            id="d_1",
            kind=ChannelKind.NTFY,
            address="https://ntfy.sh/t",
            state=DeliveryState.PENDING,
            is_test=False,
            created_at=NOW,
            due_at=NOW,
            stories=2,
            attempts=(attempt,),
        )
    ]
    world.saved_searches.matches[search] = [Match(article(1).id, article(1), NOW, ("A", "B"))]
    page, _ = await get_page(client_of(world), f"/alerts?search={search}", headers=headers)
    (row,) = page.texts("#log tbody tr")
    assert "refused 503: HTTP <503>" in row
    assert "2 publishers" in page.texts(".reports li")[0]


async def test_later_members_are_asked_for_by_the_form(world, headers):
    """The list says so, and the matches say of which story they are."""
    search = await save(world, headers, later_members="1")
    world.saved_searches.matches[search] = [
        Match(article(1).id, article(2), NOW, is_later=True, first_title="First <b>")
    ]
    world.deliveries.owners[search] = 1
    page, _ = await get_page(client_of(world), f"/alerts?search={search}", headers=headers)
    assert "later publishers too" in page.texts("#searches small")[0]
    assert page.texts(".reports .why") == ["later report of First <b>"]
    page, _ = await get_page(client_of(world), "/alerts?later_members=1", headers=headers)
    assert page.texts("#create option[selected]")[-1] == "alert again"


async def test_a_search_that_stopped_delivering_is_shown(world, headers):
    """On this page and on the account's."""
    search = await save(world, headers, name="Quiet")
    page, _ = await get_page(client_of(world), "/me/page", headers=headers)
    assert page.texts("#stopped a") == []
    owner, row = world.saved_searches.rows[search]
    gone = Channel(
        1, ChannelKind.NTFY, "https://ntfy.sh/t", disabled_at=NOW, disabled_reason="It is gone."
    )
    object.__setattr__(row, "channels", (gone,))
    page, _ = await get_page(client_of(world), "/me/page", headers=headers)
    assert page.texts("#stopped a") == ["Quiet"]
    page, _ = await get_page(client_of(world), "/alerts", headers=headers)
    assert "It is gone." in page.texts(".failing")[0]
    assert owner == 1


async def test_nobody_sees_anothers_searches(world, headers):
    """Neither in the list, nor by their id; and a form changes nothing."""
    search = await save(world, headers, name="Secret")
    bob = await browser(world, "bob")
    page, _ = await get_page(client_of(world), "/alerts", headers=bob)
    assert page.texts("#searches li") == []
    for what in ("search", "edit"):
        response = await client_of(world).get(f"/alerts?{what}={search}", headers=bob)
        assert response.status_code == 404
    changed = await post(world, bob, do="change", edit=search, q="flood")
    assert changed.status_code == 404
    assert world.saved_searches.rows[search][1].query.q == "storm"
    for do in ("pause", "resume", "delete", "test"):
        assert (await post(world, bob, do=do, id=search)).status_code == 404
    assert not world.saved_searches.rows[search][1].paused
    assert (await client_of(world).get("/alerts")).status_code == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "create"},
        {"do": "create", "q": "storm", "time_zone": "Mars/Phobos"},
        {"do": "create", "q": "storm", "kind": "webhook"},
        {"do": "pause"},
        {"do": "change", "q": "storm"},
        {"do": "explode"},
    ],
)
async def test_bad_forms_are_refused(world, headers, fields):
    """With a page that says why."""
    assert (await post(world, headers, **fields)).status_code == 400
    assert world.saved_searches.rows == {}


async def test_a_form_of_another_site_changes_nothing(world, headers):
    """Cookies do not suffice."""
    elsewhere = FORM | headers | {"Sec-Fetch-Site": "cross-site"}
    form = {"do": "create", "q": "storm"}
    response = await client_of(world).post("/alerts", headers=elsewhere, form=form)
    assert response.status_code == 403
    assert world.saved_searches.rows == {}
