"""Alerts from an article to its receivers: the real service and stores, receivers of others."""

import re
from contextlib import ExitStack

import feedparser
import httpx
import pytest
from attrs import frozen
from standardwebhooks import Webhook

from tests.outbound.alerts.receivers import Mailbox, Receiver, mailbox, receiving
from tests.service import Service, running
from tests.waiting import PATIENCE_S, wait_for

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@frozen
class World:
    """A demo that sends mail, a receiver of POSTs, and a browser that is signed in."""

    service: Service
    receiver: Receiver
    box: Mailbox
    browser: httpx.Client

    def post(self, path, **body):
        """POST JSON, which must succeed."""
        response = self.browser.post(path, json=body)
        assert response.is_success, response.text
        return response.json()

    def wait_for_posts(self, path):
        """The requests to a path, as soon as there is one."""
        return wait_for(
            lambda: [one for one in self.receiver.requests if one.path == path], f"a POST {path}"
        )

    def wait_for_mail(self, subject):
        """The content of the first mail with a subject."""

        def find():
            mails = [mail for _, _, mail in self.box.mails if subject in mail["Subject"]]
            return mails and mails[0]

        return wait_for(find, f"a mail about {subject}")


@pytest.fixture
def world(tmp_path):
    """It lasts for one test."""
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving(200))
        box = stack.enter_context(mailbox())
        mail = {"SMTP_URL": f"smtp://127.0.0.1:{box.port}", "SMTP_FROM": "News <n@us.example>"}
        service = stack.enter_context(running(tmp_path, "demo", **mail))
        browser = stack.enter_context(
            httpx.Client(
                base_url=service.url, trust_env=False, timeout=PATIENCE_S, headers=SAME_ORIGIN
            )
        )
        browser.post("/auth/dev/login", json={"username": "alice"}).raise_for_status()
        yield World(service, receiver, box, browser)


def find_link(mail, action):
    """The path of a link in a mail."""
    (path,) = set(re.findall(rf"/{action}/\d+/[\w-]{{43}}", mail.as_string().replace("=\n", "")))
    return path


@pytest.mark.slow
def test_an_article_reaches_every_receiver(world):
    """Webhook, ntfy, Apprise, feed and confirmed e-mail; and the log tells it."""
    base = world.receiver.url
    made = world.post(
        "/me/searches",
        name="Climate",
        query={"q": "climate"},
        deliver=[
            {"kind": "webhook", "to": f"{base}/hook"},
            {"kind": "ntfy", "to": f"{base}/topic"},
            {"kind": "apprise", "to": f"{base}/notify/key"},
            {"kind": "email", "to": "alice@example.org"},
            {"kind": "feed"},
        ],
        every="at_once",
        time_zone="Europe/Berlin",
    )
    asked = world.wait_for_mail("Confirm alerts")
    confirm = find_link(asked, "confirm")
    assert httpx.post(world.service.url + confirm, trust_env=False).status_code == 200
    assert world.service.search("climate").json()["total"]

    secret = next(one["secret"] for one in made["deliver"] if one["kind"] == "webhook")
    (hook, *_) = world.wait_for_posts("/hook")
    body = Webhook(secret).verify(hook.body, hook.headers)
    assert body["type"] == "story.matched"
    assert body["data"]["search"] == {"id": made["id"], "name": "Climate"}
    assert body["data"]["articles"]
    world.wait_for_posts("/")  # ntfy's JSON goes to the root
    world.wait_for_posts("/notify/key")

    mail = world.wait_for_mail("Climate: ")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    end = find_link(mail, "unsubscribe")
    done = httpx.post(
        world.service.url + end, data={"List-Unsubscribe": "One-Click"}, trust_env=False
    )
    assert done.status_code == 200
    feed = next(one["url"] for one in made["deliver"] if one["kind"] == "feed")
    path = re.sub(r"https?://[^/]+", "", feed)
    listed = feedparser.parse(httpx.get(world.service.url + path, trust_env=False).content)
    assert listed.entries

    search = f"/me/searches/{made['id']}"
    log = world.browser.get(f"{search}/deliveries").json()["deliveries"]
    delivered = {one["kind"] for one in log if one["state"] == "delivered" and not one["test"]}
    assert delivered == {"webhook", "ntfy", "apprise", "email"}
    channels = {one["kind"]: one for one in world.browser.get(search).json()["deliver"]}
    assert "Unsubscribed" in channels["email"]["disabled_reason"]
    assert channels["webhook"]["last_delivered_at"]


@pytest.mark.slow
def test_a_test_reaches_the_receiver_and_410_ends_the_channel(world):
    """And a search that stopped delivering shows it."""
    hook = f"{world.receiver.url}/hook"
    made = world.post(
        "/me/searches",
        name="Storms",
        query={"q": "storm"},
        deliver=[{"kind": "webhook", "to": hook}],
        every="day",
        time_zone="Asia/Tokyo",
    )
    path = f"/me/searches/{made['id']}"
    world.receiver.statuses[:] = [410]
    assert world.browser.post(f"{path}/test").status_code == 202
    world.wait_for_posts("/hook")

    def ended():
        (channel,) = world.browser.get(path).json()["deliver"]
        return channel["disabled_reason"]

    assert wait_for(ended, "the end of the channel").startswith("The receiver answered")
    (logged,) = world.browser.get(f"{path}/deliveries").json()["deliveries"]
    assert (logged["test"], logged["state"]) == (True, "failed")
    assert logged["attempts"][0]["status_code"] == 410
