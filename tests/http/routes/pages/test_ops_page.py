"""GET /ops: the operators' page, which nobody else sees."""

import pytest
from attrs import evolve

from newsintel.domain.accounts.model import Access, Identity
from newsintel.domain.accounts.sign_in import match_operator
from newsintel.http.application import create_app
from tests.fakes.accounts import browser, program
from tests.http.pages.parsed_page import get_page
from tests.http.world import World, settings

OPERATORS = "reddit:Alice,oidc:Bob@Example.org,oidc:24-A"


def world_of(**more):
    """A world with the page on."""
    on = {"NEWSINTEL_OPS_PAGE": "1", "NEWSINTEL_OPERATORS": OPERATORS, "NEWSINTEL_DEV_SIGN_IN": "1"}
    return World(settings=settings(**(on | more)))


async def operator(world, *, entries=("reddit:alice",)):
    """The headers of a browser whose person matched these entries at sign-in."""
    account = await world.accounts.sign_in("reddit", "t2", "alice", world.now)
    session_id = await world.sessions.start(account.public_id, "a browser", entries)
    return {"Cookie": f"newsintel_dev={session_id}", "Sec-Fetch-Site": "same-origin"}


def client_of(world):
    """A client without cookies of its own."""
    return create_app(world.services).test_client(use_cookies=False)


async def test_an_operator_sees_the_service():
    """The drawing and tables, private, with the policy of pages; HEAD too."""
    world = world_of()
    world.metrics.count("searches", 3, via="hit")
    world.metrics.count("searches", 1, via="miss")
    headers, client = await operator(world), client_of(world)
    page, response = await get_page(client, "/ops", headers=headers)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "trusted-types 'none'" in response.headers["Content-Security-Policy"]
    assert "75.0 %" in page.texts(".numbers dd")
    assert {"desk", "merger", "fetcher(guardian)", "PostgreSQL"} <= set(
        page.attributes("svg [data-node]", "data-node")
    )
    assert page.texts("tbody th") == ["The Guardian"]
    assert page.attributes("section a", "href") == ["./ops"]
    assert (await client.head("/ops", headers=headers)).status_code == 200


async def test_item_30_nobody_else_sees_it():
    """The same 404 for strangers, other accounts, and an operator's own keys."""
    world = world_of()
    client = client_of(world)
    callers = {
        "a stranger": {},
        "another account": await browser(world, "mallory"),
        "the same name at another provider": await browser(world, "alice"),
        "a key": await program(world, "alice", Access.WRITE),
        "an operator of earlier": await operator(world, entries=("reddit:carol",)),
    }
    for who, headers in callers.items():
        page, response = await get_page(client, "/ops", headers=headers)
        assert (who, response.status_code, page.texts("h1")) == (who, 404, ["Not found"])
        assert "merger" not in await response.get_data(as_text=True)


async def test_a_removed_operator_loses_it_at_once():
    """The session of before does not help."""
    world = world_of()
    headers = await operator(world)
    assert (await client_of(world).get("/ops", headers=headers)).status_code == 200
    world.settings = evolve(world.settings, operators=("reddit:bob",))
    assert (await client_of(world).get("/ops", headers=headers)).status_code == 404


async def test_off_it_does_not_exist():
    """Neither the page nor its description."""
    world = World(settings=settings(NEWSINTEL_OPERATORS=OPERATORS))
    client = client_of(world)
    assert (await client.get("/ops", headers=await operator(world))).status_code == 404
    assert "/ops" not in (await (await client.get("/openapi.json")).get_json())["paths"]


async def test_an_operator_who_cannot_be_identified_is_told():
    """While Redis is away."""
    world = world_of()
    headers = await operator(world)
    world.sessions.away = True
    page, response = await get_page(client_of(world), "/ops", headers=headers)
    assert (response.status_code, page.texts("h1")) == (503, ["Sign-in not available"])
    assert response.headers["Retry-After"]


@pytest.mark.parametrize(
    ("invited_as", "expected"),
    [
        (("reddit:alice",), ("reddit:alice",)),
        (("oidc:24-A", "oidc:bob@example.org"), ("oidc:bob@example.org", "oidc:24-A")),
        (("oidc:24-a",), ()),
        (("oidc:alice",), ()),
        ((), ()),
    ],
)
def test_operators_are_matched_as_guests_are(invited_as, expected):
    """Names and addresses in any case, subjects exactly."""
    identity = Identity("x", "y", "alice", invited_as)
    assert match_operator(identity, world_of().settings.operators) == expected


async def test_signing_in_makes_an_operator():
    """The session keeps the entry that matched, and no other name."""
    world = world_of(NEWSINTEL_OPERATORS="dev:ann")
    client, ours = client_of(world), {"Sec-Fetch-Site": "same-origin"}
    for name, status in (("Ann", 200), ("Eve", 404)):
        signed_in = await client.post("/auth/dev/login", json={"username": name}, headers=ours)
        cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
        assert (await client.get("/ops", headers={"Cookie": cookie})).status_code == status
    assert [one.operator_as for one in world.sessions.kept.values()] == [("dev:ann",), ()]
