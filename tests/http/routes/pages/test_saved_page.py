"""GET /saved and the forms about one article."""

import pytest

from newsintel.domain.personal.model import Dismissal
from newsintel.errors import UnavailableError
from newsintel.http.application import create_app
from tests.fakes.accounts import browser
from tests.http.pages.parsed_page import get_page
from tests.http.personal_world import ONE, TWO, world_with_articles
from tests.http.routes.pages.test_front import story, world_of
from tests.http.world import article

FORM = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}


def client_of(world):
    """A client without cookies of its own."""
    return create_app(world.services).test_client(use_cookies=False)


async def post(world, headers, article_id, **fields):
    """Send a form about an article; return the response."""
    path = f"/story/{article_id}"
    return await client_of(world).post(path, headers=FORM | headers, form=fields)


async def test_articles_are_saved_noted_and_forgotten():
    """`save` keeps an earlier note, `note` replaces or clears it."""
    world = world_with_articles()
    headers, client = await browser(world), client_of(world)
    steps = [
        (
            {"do": "save", "notes": "for <b>later</b>\r\nif possible"},
            ["for <b>later</b> if possible"],
        ),
        ({"do": "save"}, ["for <b>later</b> if possible"]),
        ({"do": "note", "notes": "other"}, ["other"]),
        ({"do": "note", "notes": ""}, []),
    ]
    for fields, notes in steps:
        done = await post(world, headers, ONE.id, back="/saved", **fields)
        assert (done.status_code, done.headers["Location"]) == (303, "../saved")
        page, response = await get_page(client, "/saved", headers=headers)
        assert page.texts(".story h2") == [ONE.title]
        assert page.texts(".notes") == notes
        assert response.headers["Cache-Control"] == "private, no-store"
    await post(world, headers, ONE.id, do="forget")
    page, _ = await get_page(client, "/saved", headers=headers)
    assert "Nothing yet." in page.texts(".empty")[0]
    assert (await post(world, headers, ONE.id, do="forget")).status_code == 404


async def test_saves_are_searched_and_paged():
    """The cursor leads on; a note is found."""
    world = world_with_articles()
    headers, client = await browser(world), client_of(world)
    for one, note in ((ONE, "rhubarb"), (TWO, "apple")):
        await post(world, headers, one.id, do="save", notes=note)
    page, _ = await get_page(client, "/saved?q=rhubarb", headers=headers)
    assert page.texts(".notes") == ["rhubarb"]
    page, _ = await get_page(client, "/saved?limit=1", headers=headers)
    [following] = page.attributes(".pages a", "href")
    page, _ = await get_page(client, f"/saved{following}", headers=headers)
    assert len(page.texts(".story")) == 1
    assert page.attributes(".pages a", "href") == ["?limit=1"]


async def test_saved_needs_a_session():
    """The page offers the sign-in, and comes back."""
    page, response = await get_page(client_of(world_with_articles()), "/saved?q=a")
    assert response.status_code == 401
    assert "./me/page?next=%2Fsaved%3Fq%3Da" in page.attributes("main a", "href")


async def test_less_like_this_is_recorded():
    """Recommendations use it."""
    world = world_with_articles()
    headers = await browser(world)
    assert (await post(world, headers, ONE.id, do="less_like_this")).status_code == 303
    [mark] = world.feedback.kept[1]["dismissed"].values()
    assert (mark.article, mark.reason) == (ONE, Dismissal.LESS_LIKE_THIS)


@pytest.mark.parametrize(
    ("back", "location"),
    [
        ("/?q=a+b&sort=newest", "../?q=a+b&sort=newest"),
        ("//evil.example/", "../me/page"),
        ("https://evil.example/", "../me/page"),
        ("/\\evil.example", "../me/page"),
        ("", ONE.id),
    ],
)
async def test_a_form_leads_back_within_the_service(back, location):
    """Anything else leads to the account."""
    world = world_with_articles()
    done = await post(world, await browser(world), ONE.id, do="save", back=back)
    assert done.headers["Location"] == location


async def test_only_a_person_sees_the_forms():
    """The page for everybody has none. Each form names its article, and leads back."""
    world = world_of(story(1), story(2))
    client = client_of(world)
    page, _ = await get_page(client, "/?q=flood&sort=newest")
    assert page.attributes("main form[method=post]", "action") == []
    page, _ = await get_page(client, "/?q=flood&sort=newest", headers=await browser(world))
    assert page.attributes(".deeds", "action") == [f"./story/{article(n).id}" for n in (1, 2)]
    assert set(page.attributes(".deeds [name=back]", "value")) == {"/?q=flood&sort=newest"}


async def test_the_first_page_recommends_to_a_person():
    """With the reasons; without recommendations it is the search box."""
    world = world_with_articles()
    headers, client = await browser(world), client_of(world)
    for number in (1, 2, 3):
        await post(world, headers, article(number).id, do="save")
    world.likeness.kept = {article(number).id: article(number) for number in range(1, 20)}
    page, response = await get_page(client, "/", headers=headers)
    assert response.status_code == 200
    assert page.attributes("input[type=search]", "name") == ["q"]
    world.likeness.raises = UnavailableError("away")
    page, response = await get_page(client, "/", headers=headers)
    assert response.status_code == 200
