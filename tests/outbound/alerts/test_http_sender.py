"""Alerts by POST, to receivers that nobody here wrote."""

import json
from datetime import UTC, datetime

import pytest
import trio
from standardwebhooks import Webhook

from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import Attempt, Outcome
from newsintel.domain.alerts.signing import SigningKey, create_secret, rotate_keys
from newsintel.http.bodies.search import summarize_article
from newsintel.outbound.alerts.http_sender import MAX_ANSWER_BYTES, SEND_S, open_http_sender
from tests import faults
from tests.domain.alerts.made import WORLD, delivery, story
from tests.faults import reply, serving
from tests.outbound.alerts.receivers import receiving
from tests.outbound.test_feed_client import resolving
from tests.waiting import PATIENCE_S

PRIVATE = Attempt(Outcome.FORBIDDEN, detail="the host is on a private network")


def now() -> datetime:
    """The judges compare with their own clock."""
    return datetime.now(UTC)


@pytest.fixture
async def sender():
    """As in the demo: it may connect to this machine."""
    public = "http://localhost:8000"
    async with open_http_sender(summarize_article, public, private=True, now=now) as found:
        yield found


@pytest.fixture
async def strict():
    """As in production."""
    public = "https://us.example"
    async with open_http_sender(summarize_article, public, private=False, now=now) as found:
        yield found


async def send(sender, sent) -> Attempt:
    """Send once, within the patience of a test."""
    with trio.fail_after(PATIENCE_S):
        return await sender.send(sent)


async def test_a_receiver_verifies_a_webhook_with_the_authors_library(sender):
    """The bytes on the wire, with the world's titles; also after a rotation, with either key."""
    old, new = create_secret(), create_secret()
    keys = rotate_keys([SigningKey(old)], new, now())
    stories = tuple(story(str(at), title) for at, title in enumerate(WORLD))
    with receiving() as receiver:
        sent = delivery(address=receiver.url + "/hook", keys=keys, stories=stories)
        assert await send(sender, sent) == Attempt(Outcome.DELIVERED, 204)
    (found,) = receiver.requests
    assert found.path == "/hook"
    assert found.headers["content-type"] == "application/json"
    assert found.headers["webhook-id"] == sent.id
    for secret in (old, new):
        body = Webhook(secret).verify(found.body, found.headers)
        assert [one["title"] for one in body["data"]["articles"]] == list(WORLD)


async def test_a_repeat_has_the_same_id_and_body(sender):
    """Only the time of the attempt and so the signature may change."""
    with receiving(500, 204) as receiver:
        sent = delivery(address=receiver.url)
        assert (await send(sender, sent)).outcome is Outcome.REFUSED
        assert (await send(sender, sent)).outcome is Outcome.DELIVERED
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


async def test_ntfy_gets_its_json_at_the_root(sender):
    """As in its docs; the topic's query, which may hold `auth`, goes with it."""
    with receiving(200) as receiver:
        sent = delivery(ChannelKind.NTFY, receiver.url + "/mytopic?auth=QmVhcmVy")
        assert await send(sender, sent) == Attempt(Outcome.DELIVERED, 200)
    (found,) = receiver.requests
    assert found.path == "/?auth=QmVhcmVy"
    assert json.loads(found.body)["topic"] == "mytopic"
    assert "webhook-signature" not in found.headers


async def test_apprise_gets_its_json_and_204_means_nobody(sender):
    """The Apprise API answers 204 for a key that has no configuration."""
    with receiving(200, 204) as receiver:
        sent = delivery(ChannelKind.APPRISE, receiver.url + "/notify/key")
        assert await send(sender, sent) == Attempt(Outcome.DELIVERED, 200)
        assert (await send(sender, sent)).outcome is Outcome.REFUSED
    assert receiver.requests[0].path == "/notify/key"
    assert set(json.loads(receiver.requests[0].body)) == {"title", "body", "type", "format"}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DELIVERED),
        (202, Outcome.DELIVERED),
        (301, Outcome.REFUSED),
        (307, Outcome.REFUSED),
        (400, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (410, Outcome.GONE),
        (429, Outcome.REFUSED),
        (500, Outcome.REFUSED),
        (502, Outcome.REFUSED),
    ],
)
async def test_what_a_status_means(sender, status, outcome):
    """Standard Webhooks 1.0.0, "Delivery success and failure". A redirect is never followed."""
    with receiving() as elsewhere, receiving(status, Location=elsewhere.url) as receiver:
        found = await send(sender, delivery(address=receiver.url))
    assert (found.outcome, found.status_code) == (outcome, status)
    assert elsewhere.requests == []


async def test_retry_after_is_read(sender):
    """In seconds."""
    with receiving(503, Retry_After="77") as receiver:
        assert (await send(sender, delivery(address=receiver.url))).asked_s == 77


@pytest.mark.parametrize(
    ("script", "outcome", "detail"),
    [
        (faults.eof, Outcome.UNREACHABLE, "connection closed before an answer"),
        (faults.not_http, Outcome.REFUSED, "reply is not HTTP, or breaks off"),
        (faults.bomb(3, twice=True), Outcome.REFUSED, "content coding is stacked or unknown"),
        (
            reply(b" " * (MAX_ANSWER_BYTES + 1)),
            Outcome.REFUSED,
            f"body announced as larger than {MAX_ANSWER_BYTES} bytes",
        ),
    ],
    ids=lambda value: None if callable(value) else value,
)
async def test_bad_answers_have_their_reason(sender, script, outcome, detail):
    """In one line that quotes nothing of the answer."""
    async with serving(script) as served:
        found = await send(sender, delivery(address=served.url))
    assert (found.outcome, found.detail) == (outcome, detail)


async def test_a_receiver_that_never_answers_is_given_up(autojump_clock, sender, monkeypatch):
    """In the time that the specification recommends, 15 to 30 s; a drip of bytes is no answer."""
    assert 15 <= SEND_S <= 30

    async def hang(_request):
        await trio.sleep_forever()

    monkeypatch.setattr(sender._transport, "_send", hang)
    began = trio.current_time()
    assert (await sender.send(delivery())).outcome is Outcome.TIMEOUT
    assert trio.current_time() - began == pytest.approx(SEND_S)


HOSTS = (
    "127.0.0.1 127.1 127.0.1 0 0x7f000001 0x7f.1 0177.0.0.1 017700000001 2130706433 10.0.0.1 "
    "169.254.169.254 2852039166 100.64.0.1 0.0.0.0 192.168.1.1 224.0.0.1 255.255.255.255 "
    "127.0.0.1. localhost localhost. LOCALHOST [::] [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] "
    "[::127.0.0.1] [fe80::1] [fd00::1] [ff02::1] [64:ff9b::127.0.0.1] [64:ff9b:1::8.8.8.8] "
    "[2002:7f00:1::] [2001:0:7f00:1::] xn--80ak6aa92e.localhost"
)
"""Decimal, octal and hexadecimal forms, local names, trailing dots, IDNA, mapped, NAT64, 6to4,
Teredo and multicast."""


@pytest.mark.slow
@pytest.mark.parametrize("host", HOSTS.split())
@pytest.mark.parametrize("kind", [ChannelKind.WEBHOOK, ChannelKind.NTFY, ChannelKind.APPRISE])
async def test_no_connection_to_a_private_address(strict, host, kind):
    """In whatever spelling; some spellings are no host to the resolver. A receiver listens."""
    with receiving() as receiver:
        port = receiver.url.rpartition(":")[2]
        found = await send(strict, delivery(kind, f"http://{host}:{port}/topic"))
    assert found == PRIVATE or found.outcome is Outcome.UNREACHABLE
    if host[0] in "[1l" and not host.endswith((".", ".localhost")):
        assert found == PRIVATE
    assert receiver.requests == []


async def test_one_private_address_of_a_host_is_enough_to_refuse(strict):
    """Also behind public ones: the next look-up could give that one."""
    with receiving() as receiver:
        port = receiver.url.rpartition(":")[2]
        async with resolving(mixed=[["93.184.215.14", "127.0.0.1"]]):
            sent = delivery(address=f"http://mixed.example:{port}/")
            assert await send(strict, sent) == PRIVATE
    assert receiver.requests == []


async def test_the_checked_address_is_dialled_and_the_host_kept(strict, monkeypatch):
    """A second answer of the resolver (DNS rebinding) is never asked for."""
    monkeypatch.setattr(
        "newsintel.outbound.public_network.is_public", lambda address: address == "127.0.0.1"
    )
    with receiving() as receiver:
        port = receiver.url.rpartition(":")[2]
        async with resolving(name=[["127.0.0.1"], ["169.254.169.254"]]) as resolver:
            sent = delivery(address=f"http://name.example:{port}/")
            assert (await send(strict, sent)).outcome is Outcome.DELIVERED
    assert resolver.asked == ["name.example"]
    assert receiver.requests[0].headers["host"] == f"name.example:{port}"
