"""Saved searches over HTTP: nobody reads, edits or is sent another's."""

import json
import re
from datetime import timedelta
from functools import partial

import pytest
import trio

from newsintel.domain.accounts.model import Access
from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.model import Channel, Match, Preview
from newsintel.domain.archive.model import Hit
from newsintel.errors import InvalidParameterError
from newsintel.http.application import create_app
from tests.fakes.accounts import program
from tests.http.personal_world import Person, code
from tests.http.world import NOW, World, article, settings

HOOK, NTFY = "https://receiver.example/hook", "https://ntfy.sh/storms"
STORMS = {
    "name": "Storms",
    "query": {"q": " storm  OR flood", "sources": ["guardian"], "language": "EN"},
    "deliver": [{"kind": "webhook", "to": HOOK}, {"kind": "feed"}],
    "every": "day",
    "time_zone": "Europe/Berlin",
}


@pytest.fixture
def world():
    """A service without saved searches."""
    return World()


@pytest.fixture
async def alice(world):
    """A person who is signed in."""
    return await Person.of(world)


async def save(person, **changes):
    """Save a search and return the body of the answer."""
    response = await person.ask("POST", "/me/searches", json=STORMS | changes)
    assert response.status_code == 201, await response.get_data()
    return await response.get_json()


async def test_a_new_search_shows_its_secrets_once(alice):
    """The webhook's is also where the contract names it."""
    made = await save(alice)
    assert re.fullmatch(r"whsec_\S{44}", made["secret"])
    webhook, feed = made["deliver"]
    assert webhook["secret"] == made["secret"]
    assert re.fullmatch(r"http://localhost:\d+/feeds/[\w-]{43}", feed["url"])
    assert made["query"] == {
        "q": "storm OR flood",
        "sources": ["guardian"],
        "publisher": None,
        "language": "en",
    }
    assert (made["every"], made["time_zone"], made["paused"]) == ("day", "Europe/Berlin", False)
    (listed,) = (await alice.get("/me/searches"))["searches"]
    assert listed == await alice.get(f"/me/searches/{made['id']}")
    assert "whsec" not in json.dumps(listed)
    assert "url" not in listed["deliver"][1]


async def test_a_search_without_more_is_sent_at_once(alice):
    """The defaults of the optional members."""
    response = await alice.ask(
        "POST",
        "/me/searches",
        json={
            "name": "x",
            "query": {"q": "storm"},
            "deliver": [{"kind": "ntfy", "to": NTFY}],
        },
    )
    made = await response.get_json()
    assert (made["every"], made["time_zone"], "secret" in made) == ("at_once", "UTC", False)
    assert made["later_members"] is False


@pytest.mark.parametrize(
    ("change", "member", "words"),
    [
        ({"name": ""}, "name", "1 to 100"),
        ({"query": "storm"}, "query", "object"),
        ({"query": {"q": "   "}}, "query", "must say what"),
        ({"query": {"q": 7}}, "query", "text"),
        ({"query": {"q": "storm", "from": "2026-01-01"}}, "query", "not a member"),
        ({"query": {"q": "storm before:2026-01-01"}}, "query", "past"),
        ({"query": {"q": "storm", "sources": ["nowhere"]}}, "query", "nowhere"),
        ({"query": {"q": "storm", "sources": "guardian"}}, "query", "list"),
        ({"query": {"q": "storm", "language": "english"}}, "query", "two letters"),
        ({"deliver": []}, "deliver", "1 to 5"),
        ({"deliver": [{"kind": "feed"}] * 6}, "deliver", "1 to 5"),
        ({"deliver": [{"kind": "feed"}] * 2}, "deliver", "twice"),
        ({"deliver": [{"kind": "fax", "to": "1"}]}, "deliver", "one of"),
        ({"deliver": [{"kind": "webhook"}]}, "deliver", "to of webhook"),
        ({"deliver": [{"kind": "webhook", "to": "ftp://e.org"}]}, "deliver", "to of webhook"),
        ({"deliver": [{"kind": "feed", "to": HOOK}]}, "deliver", "left out"),
        ({"deliver": [{"kind": "email", "to": "a@example.org"}]}, "deliver", "mail server"),
        ({"deliver": [["webhook", HOOK]]}, "deliver", "object"),
        ({"every": "week"}, "every", "at_once, hour, day"),
        ({"time_zone": "Mars/Phobos"}, "time_zone", "IANA"),
        ({"paused": True}, "paused", "not a member"),
        ({"later_members": 1}, "later_members", "true or false"),
        ({"later_members": None}, "later_members", "true or false"),
    ],
)
async def test_bad_members_are_named(alice, change, member, words):
    """Each with the rule."""
    response = await alice.ask("POST", "/me/searches", json=STORMS | change)
    body = await response.get_json()
    assert (response.status_code, body["code"]) == (400, "invalid_body")
    (error,) = body["errors"]
    assert error["field"] == member
    assert words in error["message"]
    assert (await alice.get("/me/searches")) == {"searches": []}


async def test_a_query_that_is_too_broad_is_refused_with_the_reason(world, alice):
    """By creation, change and preview alike."""
    made = await save(alice)
    world.saved_searches.refusal = InvalidParameterError("q", "too_broad", "It matches everything.")
    for method, path in (
        ("POST", "/me/searches"),
        ("PATCH", f"/me/searches/{made['id']}"),
        ("POST", "/me/searches/preview"),
    ):
        body = {"query": {"q": "-storm"}} if path != "/me/searches" else STORMS
        response = await alice.ask(method, path, json=body)
        (error,) = (await response.get_json())["errors"]
        assert (response.status_code, error["field"], error["code"]) == (400, "query", "too_broad")


async def test_the_number_of_searches_is_limited():
    """By the setting; the message says what to do."""
    world = World(settings=settings(NEWSINTEL_ALERTS_PER_PERSON="2"))
    alice = await Person.of(world)
    for _ in range(2):
        await save(alice)
    response = await alice.ask("POST", "/me/searches", json=STORMS)
    assert await code(response) == (409, "conflict")
    await save(await Person.of(world, "bob"))


async def test_a_change_keeps_what_it_does_not_name(alice):
    """And a channel that stays keeps its secret, which is not shown again."""
    made = await save(alice)
    path = f"/me/searches/{made['id']}"
    paused = await (await alice.ask("PATCH", path, json={"paused": True})).get_json()
    assert paused["paused"]
    assert paused["query"] == made["query"]
    wanted = [{"kind": "webhook", "to": HOOK}, {"kind": "webhook", "to": HOOK + "2"}]
    changed = await (
        await alice.ask("PATCH", path, json={"deliver": wanted, "name": "New"})
    ).get_json()
    assert [row.get("secret") is None for row in changed["deliver"]] == [True, False]
    assert changed["secret"] != made["secret"]
    assert (changed["name"], changed["paused"]) == ("New", True)
    shown = await alice.get(path)
    assert "whsec" not in json.dumps(shown)


async def test_changes_at_once_do_not_undo_each_other(alice):
    """What a change does not name stays as it is when it is stored, not as it was before."""
    made = await save(alice)
    path, answers = f"/me/searches/{made['id']}", []

    async def change(**members):
        answers.append(await (await alice.ask("PATCH", path, json=members)).get_json())

    hooks = [{"kind": "webhook", "to": HOOK + "2"}]
    async with trio.open_nursery() as nursery:
        for members in ({"name": "New"}, {"paused": True}, {"deliver": hooks}, {"deliver": hooks}):
            nursery.start_soon(partial(change, **members))
    found = await alice.get(path)
    assert (found["name"], found["paused"]) == ("New", True)
    assert [row["to"] for row in found["deliver"]] == [HOOK + "2"]
    secrets = [answer["secret"] for answer in answers if "secret" in answer]
    assert len(secrets) == 1, "a secret was shown that no webhook has"


async def test_later_members_are_asked_for(alice):
    """From the start or later; another change leaves it."""
    made = await save(alice, later_members=True)
    assert made["later_members"] is True
    path = f"/me/searches/{made['id']}"
    for change, wanted in (
        ({"name": "x"}, True),
        ({"later_members": False}, False),
        ({"paused": True}, False),
        ({"later_members": True}, True),
    ):
        changed = await (await alice.ask("PATCH", path, json=change)).get_json()
        assert changed["later_members"] is wanted
        assert (await alice.get(path))["later_members"] is wanted


async def test_a_later_member_says_so_in_the_matches(world, alice):
    """With its story; a first match has null."""
    made = await save(alice)
    later = Match(article(1).id, article(2), NOW, is_later=True, first_title="Storm")
    world.saved_searches.matches[made["id"]] = [later, Match(article(1).id, article(1), NOW)]
    page = await alice.get(f"/me/searches/{made['id']}/matches")
    assert [row["later_member_of"] for row in page["articles"]] == [
        {"group_id": article(1).id, "title": "Storm"},
        None,
    ]


async def test_a_search_can_be_deleted(alice):
    """Once."""
    made = await save(alice)
    path = f"/me/searches/{made['id']}"
    assert (await alice.ask("DELETE", path)).status_code == 204
    assert await code(await alice.ask("DELETE", path)) == (404, "not_found")
    assert (await alice.get("/me/searches")) == {"searches": []}


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"name": "mine"}),
        ("PATCH", "", {"deliver": [{"kind": "ntfy", "to": NTFY}]}),
        ("DELETE", "", None),
        ("GET", "/matches", None),
    ],
)
async def test_everything_of_somebody_else_is_a_404(world, alice, method, what, body):
    """Nothing is read or changed; as is what does not exist; without a session it is 401."""
    made = await save(alice)
    world.saved_searches.matches[made["id"]] = [Match(article(1).id, article(1), NOW)]
    bob = await Person.of(world, "bob")
    before = await alice.get(f"/me/searches/{made['id']}")
    more = {} if body is None else {"json": body}
    for person, search in ((bob, made["id"]), (alice, "w_" + "z" * 20), (alice, "x")):
        response = await person.ask(method, f"/me/searches/{search}{what}", **more)
        assert await code(response) == (404, "not_found")
    client = create_app(world.services).test_client()
    nobody = await client.open(f"/me/searches/{made['id']}{what}", method=method, **more)
    assert await code(nobody) == (401, "unauthenticated")
    assert await alice.get(f"/me/searches/{made['id']}") == before
    assert (await bob.get("/me/searches")) == {"searches": []}


async def test_a_read_key_reads_and_a_write_key_changes(world):
    """As the scopes of all personal data."""
    client = create_app(world.services).test_client()
    reader = await program(world, "alice", Access.READ)
    writer = await program(world, "alice", Access.WRITE)
    refused = await client.post("/me/searches", headers=reader, json=STORMS)
    assert await code(refused) == (403, "insufficient_scope")
    assert (await client.post("/me/searches", headers=writer, json=STORMS)).status_code == 201
    assert len((await (await client.get("/me/searches", headers=reader)).get_json())["searches"])
    asked = {"query": {"q": "storm"}}
    assert (
        await client.post("/me/searches/preview", headers=reader, json=asked)
    ).status_code == 200


async def test_a_page_of_another_site_cannot_change_a_search(alice):
    """Cookies do not suffice."""
    made = await save(alice)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for method, path, more in (
        ("POST", "/me/searches", {"json": STORMS}),
        ("PATCH", f"/me/searches/{made['id']}", {"json": {"paused": True}}),
        ("DELETE", f"/me/searches/{made['id']}", {}),
    ):
        response = await alice.ask(method, path, headers=elsewhere, **more)
        assert await code(response) == (403, "cross_site")


async def test_matches_come_in_pages(world, alice):
    """Each story once, with who else tells it; the cursor is bound to the search."""
    made, other = await save(alice), await save(alice)
    world.saved_searches.matches[made["id"]] = [
        Match(article(number).id, article(number), NOW - timedelta(hours=number), ("A", "B"))
        for number in range(3)
    ]
    path = f"/me/searches/{made['id']}/matches?limit=2"
    first = await alice.get(path)
    assert [row["group_id"] for row in first["articles"]] == [article(0).id, article(1).id]
    assert first["articles"][0]["publishers"] == ["A", "B"]
    assert first["articles"][0]["matched_at"] == "2026-03-01T12:00:00.000Z"
    last = await alice.get(f"{path}&cursor={first['next_cursor']}")
    assert [row["id"] for row in last["articles"]] == [article(2).id]
    assert last["next_cursor"] is None
    elsewhere = f"/me/searches/{other['id']}/matches?limit=2&cursor={first['next_cursor']}"
    assert await code(await alice.ask("GET", elsewhere)) == (400, "invalid_parameter")


async def test_a_preview_shows_days_publishers_and_articles(world, alice):
    """Each with its count."""
    world.saved_searches.previewed = Preview(
        3,
        ((NOW, 1), (NOW + timedelta(days=1), 2)),
        (("BBC", 3),),
        (Hit(article(1), NOW, NOW),),
        later_members=7,
    )
    response = await alice.ask("POST", "/me/searches/preview", json={"query": {"q": "storm"}})
    body = await response.get_json()
    assert (body["count"], body["later_members"]) == (3, 7)
    assert [day["count"] for day in body["per_day"]] == [1, 2]
    assert body["publishers"] == [{"value": "BBC", "count": 3}]
    assert [row["id"] for row in body["articles"]] == [article(1).id]


async def test_a_search_that_stopped_delivering_says_so(world, alice):
    """In the list, for the search and the channel; and for the account."""
    made = await save(alice)
    owner, search = world.saved_searches.rows[made["id"]]
    failing = Channel(1, ChannelKind.NTFY, NTFY, failing_since=NOW)
    ended = Channel(2, ChannelKind.WEBHOOK, HOOK, disabled_at=NOW, disabled_reason="It is gone.")
    unconfirmed = Channel(3, ChannelKind.EMAIL, "a@example.org")
    fine = Channel(4, ChannelKind.FEED, "")
    for channels, works in (
        ((fine,), True),
        ((fine, failing), False),
        ((ended,), False),
        ((unconfirmed,), False),
    ):
        object.__setattr__(search, "channels", channels)
        world.saved_searches.rows[made["id"]] = (owner, search)
        (row,) = (await alice.get("/me/searches"))["searches"]
        assert row["works"] is works
        stopped = [] if works else [{"id": made["id"], "name": "Storms"}]
        assert (await alice.get("/me"))["stopped_searches"] == stopped
    object.__setattr__(search, "channels", (ended,))
    (row,) = (await alice.get("/me/searches"))["searches"]
    assert row["deliver"][0]["disabled_reason"] == "It is gone."
    assert row["deliver"][0]["disabled_at"] == "2026-03-01T12:00:00.000Z"


async def test_mail_is_sent_after_its_owner_agreed():
    """The owner of a new address is asked, and no test goes to the other channels."""
    mail = {
        "NEWSINTEL_SMTP_URL": "smtps://u:p@mail.example",
        "NEWSINTEL_SMTP_FROM": "alerts@example.org",
    }
    world = World(settings=settings(**mail))
    alice = await Person.of(world)
    account = next(iter(world.accounts.kept.values()))
    world.deliveries.owners["w_" + "a" * 19 + "b"] = account.id
    made = await save(alice, deliver=[{"kind": "email", "to": "me@example.org"}])
    assert made["deliver"][0]["works"] is False
    assert world.deliveries.tests == [made["id"]]


async def test_an_archive_that_is_away_is_a_503(world, alice):
    """Not an empty list."""
    world.saved_searches.away = True
    assert await code(await alice.ask("GET", "/me/searches")) == (503, "archive_timeout")


async def test_the_export_has_searches_matches_and_deliveries(world, alice):
    """Also of several searches."""
    made = [await save(alice) for _ in range(3)]
    await save(await Person.of(world, "bob"), name="of Bob")
    world.saved_searches.matches[made[1]["id"]] = [
        Match(article(number).id, article(number), NOW) for number in range(150)
    ]
    response = await alice.download("/me/export")
    exported = json.loads(await response.get_data())
    assert [row["name"] for row in exported["saved_searches"]] == ["Storms"] * 3
    assert len(exported["matches"]) == 150
    assert {row["saved_search"] for row in exported["matches"]} == {made[1]["id"]}
    assert exported["deliveries"] == []
