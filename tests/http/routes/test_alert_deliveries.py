"""The delivery log, tests and secrets over HTTP, and unsubscribing without sign-in."""

import json
import re

import httpx_sse
import pytest
import trio
from attrs import evolve

from newsintel.domain.accounts.model import Access
from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import (
    DeliveryState,
    FreshMatch,
    LoggedAttempt,
    LoggedDelivery,
    Outcome,
)
from newsintel.domain.alerts.mail_tokens import MailAction, sign_link
from newsintel.domain.alerts.model import Match
from newsintel.http.application import create_app
from newsintel.http.routes import alert_stream
from newsintel.http.routes.alert_stream import LIFE_S
from tests.fakes.accounts import program
from tests.http.personal_world import Person, code
from tests.http.world import NOW, World, article

SEARCH, OTHER = "w_" + "a" * 20, "w_" + "b" * 20
HOOK = "https://receiver.example/hook"
MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
)
LOGGED = LoggedDelivery(
    "d_" + "a" * 20,
    ChannelKind.WEBHOOK,
    HOOK,
    DeliveryState.PENDING,
    False,
    NOW,
    NOW,
    3,
    (LoggedAttempt(NOW, Outcome.REFUSED, 500, "HTTP 500", 31),),
)


@pytest.fixture
def world():
    """A world without saved searches."""
    return World()


@pytest.fixture
async def alice(world):
    """A person with a saved search, whose one webhook has failed once."""
    alice = await Person.of(world)
    account = next(iter(world.accounts.kept.values()))
    world.deliveries.owners[SEARCH] = account.id
    world.deliveries.log[SEARCH] = [LOGGED]
    world.deliveries.webhooks[SEARCH, HOOK] = "whsec_old"
    return alice


async def test_the_log_has_each_attempt(alice):
    """With what the receiver answered and how long it took."""
    assert await alice.get(f"/me/searches/{SEARCH}/deliveries") == {
        "deliveries": [
            {
                "id": LOGGED.id,
                "kind": "webhook",
                "to": HOOK,
                "state": "pending",
                "test": False,
                "stories": 3,
                "created_at": "2026-03-01T12:00:00.000Z",
                "due_at": "2026-03-01T12:00:00.000Z",
                "attempts": [
                    {
                        "attempted_at": "2026-03-01T12:00:00.000Z",
                        "outcome": "refused",
                        "status_code": 500,
                        "detail": "HTTP 500",
                        "latency_ms": 31,
                    }
                ],
            }
        ]
    }


async def test_a_test_is_accepted(world, alice):
    """It is sent later."""
    response = await alice.ask("POST", f"/me/searches/{SEARCH}/test")
    assert (response.status_code, await response.get_json()) == (202, {"tests": 1})
    assert world.deliveries.tests == [SEARCH]


async def test_a_new_secret_is_shown_once(world, alice):
    """Only for a webhook that the search has."""
    response = await alice.ask("POST", f"/me/searches/{SEARCH}/secret", json={"to": HOOK})
    assert response.status_code == 201
    assert re.fullmatch(r"whsec_\S{44}", (await response.get_json())["secret"])
    other = await alice.ask("POST", f"/me/searches/{SEARCH}/secret", json={"to": HOOK + "x"})
    assert await code(other) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [("GET", "deliveries", None), ("POST", "test", None), ("POST", "secret", {"to": HOOK})],
)
async def test_everything_of_somebody_else_is_a_404(world, alice, method, what, body):
    """As is what does not exist; and without a session it is 401."""
    bob = await Person.of(world, "bob")
    for person, search in ((bob, SEARCH), (alice, OTHER), (alice, "x")):
        more = {} if body is None else {"json": body}
        response = await person.ask(method, f"/me/searches/{search}/{what}", **more)
        assert await code(response) == (404, "not_found")
    client = create_app(world.services).test_client()
    nobody = await client.open(f"/me/searches/{SEARCH}/{what}", method=method, json=body)
    assert nobody.status_code == 401
    assert world.deliveries.tests == []
    assert world.deliveries.webhooks == {(SEARCH, HOOK): "whsec_old"}


async def test_a_key_tests_by_its_scope_and_makes_no_secrets(world, alice):
    """A read key only reads, a write key tests, and a secret needs a browser."""
    client = create_app(world.services).test_client()
    base = f"/me/searches/{SEARCH}"
    for access, status in ((Access.READ, 403), (Access.WRITE, 202)):
        key = await program(world, access=access)
        assert (await client.get(f"{base}/deliveries", headers=key)).status_code == 200
        assert (await client.post(f"{base}/test", headers=key)).status_code == status
        refused = await client.post(f"{base}/secret", headers=key, json={"to": HOOK})
        assert await code(refused) in {(403, "session_required"), (403, "insufficient_scope")}


def unsubscribe_path(world, channel=7, action=MailAction.UNSUBSCRIBE) -> str:
    """The path of a link."""
    token = sign_link(world.services.alerts.mail_signer, action, channel)
    return f"/{action}/{channel}/{token}"


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (
            MULTIPART,
            "multipart/form-data; boundary=x",
        ),
        (b"", None),
    ],
)
async def test_one_post_without_sign_in_ends_a_channel(world, body, media):
    """As RFC 8058, 3.2 sends it: either form, no cookie, and perhaps from another site."""
    world.deliveries.channels[7] = "Storms"
    client = create_app(world.services).test_client(use_cookies=False)
    headers = {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}
    headers |= {"Content-Type": media} if media else {}
    for _ in range(2):  # a repeat is no error
        response = await client.post(unsubscribe_path(world), data=body, headers=headers)
        assert response.status_code == 200
        assert "Storms" in (await response.get_data()).decode()
    assert list(world.deliveries.ended) == [7]


async def test_a_get_only_asks(world):
    """Programs that check the links of mails follow them."""
    world.deliveries.channels[7] = "Storms"
    response = await create_app(world.services).test_client().get(unsubscribe_path(world))
    assert response.status_code == 200
    assert '<form class="row" method="post">' in (await response.get_data()).decode()
    assert world.deliveries.ended == {}


async def test_other_links_are_a_404(world):
    """A token of another channel, a guess, and a channel that was deleted."""
    world.deliveries.channels[7] = "Storms"
    client = create_app(world.services).test_client()
    other = unsubscribe_path(world, 8).replace("/8/", "/7/")
    for path in (other, f"/unsubscribe/7/{'A' * 43}", "/unsubscribe/7/x", "/unsubscribe/0/x"):
        for method in ("GET", "POST"):
            assert (await client.open(path, method=method)).status_code == 404, path
    assert (await client.post(unsubscribe_path(world, 9))).status_code == 404
    assert world.deliveries.ended == {}


async def test_a_link_confirms_an_address(world):
    """Only its own: the other link's token does not."""
    world.deliveries.channels[7] = "Storms"
    client = create_app(world.services).test_client()
    path = unsubscribe_path(world, action=MailAction.CONFIRM)
    assert (await client.get(path)).status_code == 200
    assert world.deliveries.confirmed == set()
    other = unsubscribe_path(world).replace("unsubscribe", "confirm")
    assert (await client.post(other)).status_code == 404
    assert (await client.post(path)).status_code == 200
    assert (world.deliveries.confirmed, world.deliveries.ended) == ({7}, {})


def fresh(number: int, name: str = "Storms") -> FreshMatch:
    """A match of now, by its number."""
    return FreshMatch(SEARCH, name, Match(article(number).id, article(number), NOW, ("BBC",)))


async def test_matches_are_told_to_an_open_page_once(world, alice, autojump_clock):
    """In the format that httpx-sse reads; of somebody else's nothing."""
    owner = world.deliveries.owners[SEARCH]
    world.deliveries.fresh = [(owner, fresh(1)), (owner, fresh(2)), (owner + 1, fresh(3))]
    text = await read_stream(alice)
    decoder = httpx_sse._decoders.SSEDecoder()
    decoded = [event for line in text.split("\n") if (event := decoder.decode(line))]
    events = [event for event in decoded if event.data]  # browsers drop those without
    assert [(event.event, json.loads(event.data)["article"]["id"]) for event in events] == [
        ("match", article(1).id),
        ("match", article(2).id),
    ]
    first = json.loads(events[0].data)
    assert first["search"] == {"id": SEARCH, "name": "Storms"}
    assert (first["article"]["group_id"], first["article"]["publishers"]) == (
        article(1).id,
        ["BBC"],
    )
    assert text.count(":\n\n") >= 3  # heartbeats while nothing happens


async def test_later_members_of_a_story_are_told_each(world, alice, autojump_clock):
    """Once, and as such; the story's first match is another event."""
    owner, first = world.deliveries.owners[SEARCH], fresh(1)
    later = [
        evolve(first.match, article=article(number), is_later=True, first_title="Storm")
        for number in (2, 3)
    ]
    found = [first, *(FreshMatch(SEARCH, "Storms", one) for one in later)]
    world.deliveries.fresh = [(owner, one) for one in found]
    text = await read_stream(alice)
    told = [json.loads(line[6:])["article"] for line in text.split("\n") if line[:7] == "data: {"]
    of = {"group_id": article(1).id, "title": "Storm"}
    assert [(one["id"], one["later_member_of"]) for one in told] == [
        (article(1).id, None),
        (article(2).id, of),
        (article(3).id, of),
    ]


async def read_stream(person) -> str:
    """Read the stream to its end, which comes after five minutes of the test's clock."""
    async with person._client.request(
        "/me/searches/stream", method="GET", headers=person.headers
    ) as connection:
        await connection.send_complete()
        with trio.fail_after(2 * LIFE_S):
            response = await connection.as_response()
    return (await response.get_data()).decode()


async def test_a_stream_needs_a_session(world):
    """So a browser that comes again after five minutes must still be signed in."""
    client = create_app(world.services).test_client()
    assert (await client.get("/me/searches/stream")).status_code == 401


async def test_one_person_has_ten_streams(world, alice, autojump_clock, monkeypatch):
    """Another one still gets theirs."""
    monkeypatch.setattr(alert_stream, "MOST_OF_PERSON", 1)
    mallory = await Person.of(world, "mallory")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read_stream, alice)
        await trio.sleep(1)
        assert await code(await alice.ask("GET", "/me/searches/stream")) == (503, "busy")
        assert ":" in await read_stream(mallory)


async def test_streams_are_limited(world, alice, monkeypatch):
    """Each asks the database every two seconds."""
    monkeypatch.setattr("newsintel.http.routes.alert_stream.MOST_STREAMS", 0)
    assert await code(await alice.ask("GET", "/me/searches/stream")) == (503, "busy")
