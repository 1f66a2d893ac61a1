"""GET /story/{id}: reports in order of time with reasons, and a person's own verdicts."""

from datetime import timedelta

import pytest
from attrs import evolve

from newsintel.domain.search.article import ArchivedArticle, Member, Rule
from newsintel.errors import UnavailableError
from newsintel.http.application import create_app
from tests.fakes.accounts import browser, program
from tests.fakes.likeness import MemoryLikeness
from tests.http.pages.parsed_page import get_page
from tests.http.world import NOW, World, article

FOUNDER, SECOND, THIRD = article(3), article(2), article(1)
FORM = "application/x-www-form-urlencoded"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Content-Type": FORM}


def world_of(**changes):
    """A world with a story of three reports; the second is the fullest."""
    world = World(likeness=MemoryLikeness(FOUNDER, article(9)))
    story = ArchivedArticle(
        evolve(FOUNDER, publisher="Le Monde"),
        NOW,
        NOW,
        SECOND.id,
        FOUNDER.id,
        (
            Member(evolve(THIRD, publisher="BBC News"), Rule.NEAR_TITLE, 0.914),
            Member(evolve(SECOND, publisher="Reuters"), Rule.URL, 1.0),
        ),
    )
    world.desk.archived = {
        FOUNDER.id: evolve(story, **changes),
        SECOND.id: ArchivedArticle(
            evolve(SECOND, publisher="Reuters", description="Full"), NOW, NOW, SECOND.id, FOUNDER.id
        ),
        THIRD.id: ArchivedArticle(THIRD, NOW, NOW, SECOND.id, FOUNDER.id),
    }
    return world


def client_of(world):
    """A client without cookies of its own."""
    return create_app(world.services).test_client(use_cookies=False)


async def test_reports_stand_in_order_of_time_with_their_reasons():
    """The first reporter is named; the lead is the fullest report."""
    page, response = await get_page(client_of(world_of()), f"/story/{FOUNDER.id}")
    assert page.texts("h1") == ["Title 2"]
    assert page.texts("p.lead") == ["Full"]
    assert page.texts(".reports .who") == ["Le Monde", "Reuters", "BBC News"]
    assert page.texts(".reports .why") == [
        "the first we found",
        "same address, 100 %",
        "similar headline, 91 %",
    ]
    assert page.texts("h2")[0] == "3 reports, first by Le Monde"
    assert page.texts(".first") == ["first to report"]
    assert page.attributes(".plain a", "href") == [f"../story/{article(9).id}"]
    assert page.attributes("form[method=post]", "action") == []
    assert response.headers["Cache-Control"] == "public, max-age=30"


async def test_an_estimated_date_is_not_first():
    """The time of our fetch says nothing about the time of publication."""
    guessed = evolve(FOUNDER, publisher="Le Monde", published_at_estimated=True)
    page, _ = await get_page(client_of(world_of(article=guessed)), f"/story/{FOUNDER.id}")
    assert page.texts("h2")[0] == "3 reports, first by Reuters"


async def test_a_report_leads_to_its_story():
    """Each story has one address."""
    response = await client_of(world_of()).get(f"/story/{THIRD.id}")
    assert (response.status_code, response.headers["Location"]) == (303, FOUNDER.id)


@pytest.mark.parametrize("changes", [{"leader_id": article(7).id}, {"leader_id": FOUNDER.id}])
async def test_the_founder_leads_if_no_other_is_known(changes):
    """The archive may have another leader than it can show."""
    page, _ = await get_page(client_of(world_of(**changes)), f"/story/{FOUNDER.id}")
    assert page.texts("h1") == ["Title 3"]


async def test_a_story_of_one_report():
    """Nobody was first, and the story is not known yet."""
    world = world_of(duplicates=(), leader_id=FOUNDER.id, group_id=None)
    page, _ = await get_page(client_of(world), f"/story/{FOUNDER.id}")
    assert page.texts("h2")[0] == "1 report"


async def test_similar_stories_may_be_away():
    """The story itself is shown."""
    world = world_of()
    world.likeness.raises = UnavailableError("away")
    page, _ = await get_page(client_of(world), f"/story/{FOUNDER.id}")
    assert "They cannot be shown right now." in page.texts(".hint")


async def test_an_unknown_story_is_a_page_with_404():
    """Also one that has no form of an id."""
    for wanted in (article(8).id, "nothing"):
        page, response = await get_page(client_of(world_of()), f"/story/{wanted}")
        assert (response.status_code, page.texts("h1")) == (404, ["Not found"])


async def test_a_person_takes_a_report_out_and_back():
    """Without a script; only this person's page changes."""
    world = world_of()
    client, headers, path = client_of(world), await browser(world), f"/story/{FOUNDER.id}"
    page, _ = await get_page(client, path, headers=headers)
    assert len(page.attributes(".reports form", "action")) == 2
    for verdict, together, apart in (
        ("not_same", ["Le Monde", "Reuters"], ["BBC News"]),
        ("same", ["Le Monde", "Reuters", "BBC News"], []),
    ):
        done = await client.post(
            path, headers=headers | SAME_ORIGIN, data=f"article={THIRD.id}&do={verdict}"
        )
        assert (done.status_code, done.headers["Location"]) == (303, FOUNDER.id)
        page, response = await get_page(client, path, headers=headers)
        lists = [[one.text() for one in node.css(".who")] for node in page.tree.css(".reports")]
        assert lists == [one for one in (together, apart) if one]
        assert response.headers["Cache-Control"] == "private, no-store"
    page, _ = await get_page(client, path)
    assert len(page.texts(".reports .who")) == 3


async def test_a_lead_that_was_taken_out_does_not_lead():
    """The founder leads then."""
    world = world_of()
    client, headers = client_of(world), await browser(world)
    path = f"/story/{FOUNDER.id}"
    await client.post(path, headers=headers | SAME_ORIGIN, data=f"article={SECOND.id}&do=not_same")
    page, _ = await get_page(client, path, headers=headers)
    assert page.texts("h1") == ["Title 3"]


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (
            f"article={THIRD.id}&do=not_same",
            {"Sec-Fetch-Site": "cross-site", "Content-Type": FORM},
            403,
        ),
        (
            f"article={THIRD.id}&do=not_same",
            {"Sec-Fetch-Site": "same-site", "Content-Type": FORM},
            403,
        ),
        (f"article={THIRD.id}&do=not_same", {"Sec-Fetch-Site": "none", "Content-Type": FORM}, 403),
        (f"article={THIRD.id}&do=maybe", SAME_ORIGIN, 400),
        (f"article={THIRD.id}&do=not_same&more=1", SAME_ORIGIN, 400),
        (f"article={FOUNDER.id}&do=not_same", SAME_ORIGIN, 400),
        (f"article={THIRD.id}&article={THIRD.id}&do=not_same", SAME_ORIGIN, 400),
        ("&" * 200, SAME_ORIGIN, 400),
        ("{}", SAME_ORIGIN | {"Content-Type": "application/json"}, 415),
    ],
)
async def test_a_form_of_another_site_or_shape_is_refused(data, headers, status):
    """The answer is a page, and nothing is recorded."""
    world = world_of()
    page, response = await get_page_of_post(world, await browser(world) | headers, data)
    assert response.status_code == status
    assert page.texts("h1") != []
    assert not any(world.not_same.kept.values())


async def test_a_form_needs_a_session():
    """Without one, the page links to the sign-in; a key is not a browser."""
    world = world_of()
    data = f"article={THIRD.id}&do=not_same"
    page, response = await get_page_of_post(world, SAME_ORIGIN, data)
    assert response.status_code == 401
    assert f"../me/page?next=%2Fstory%2F{FOUNDER.id}" in page.attributes("main a", "href")
    _, response = await get_page_of_post(world, SAME_ORIGIN | await program(world), data)
    assert response.status_code == 403


async def get_page_of_post(world, headers, data):
    """Return the page that answers a form, and its response."""

    class Posting:
        @staticmethod
        async def get(path, **more):
            return await client_of(world).post(path, **more)

    return await get_page(Posting, f"/story/{FOUNDER.id}", headers=headers, data=data)


async def test_the_api_records_two_articles():
    """POST /articles/{id}/not-same; the export shows it, and another article is needed."""
    world = world_of()
    client, headers = client_of(world), await browser(world)
    path = f"/articles/{THIRD.id}/not-same"
    done = await client.post(path, headers=headers, json={"as": FOUNDER.id})
    assert done.status_code == 204
    world.now = NOW + timedelta(seconds=1)
    assert (await client.post(path, headers=headers, json={"as": FOUNDER.id})).status_code == 204
    exported = await (await client.get("/me/export", headers=headers)).get_json()
    assert exported["not_same"] == [
        {"articles": [THIRD.id, FOUNDER.id], "marked_at": "2026-03-01T12:00:01.000Z"}
    ]
    for body, status in (
        ({"as": THIRD.id}, 400),
        ({"as": "a_1"}, 400),
        ({"as": 5}, 400),
        ({}, 400),
        ({"as": article(8).id}, 404),
    ):
        refused = await client.post(path, headers=headers, json=body)
        assert refused.status_code == status
    key = await program(world)
    assert (await client.post(path, headers=key, json={"as": FOUNDER.id})).status_code in (204, 403)
    assert (await client.post(path, json={"as": FOUNDER.id})).status_code == 401
