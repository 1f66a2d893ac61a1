"""Feeds over the network: what a server may send, and where no address may lead.

Sockets are real. A resolver of ours gives names the addresses that a test wants.
"""

import gzip
import socket
import threading
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import evolve

from newsintel.domain.feeds.model import LeasedFeed, PollStatus, Subscription, Validators
from newsintel.domain.feeds.ports import FeedRefusal, FeedReply
from newsintel.domain.text.request_urls import find_url_fault
from newsintel.outbound.feed_client import open_feed_client
from newsintel.outbound.public_network import MOST_LOOK_UPS
from tests import faults
from tests.faults import reply, sequence, serving
from tests.make import NOON
from tests.outbound.sources.feeds.reading import item, rss
from tests.waiting import PATIENCE_S

FEED = rss(item("Storm", "/1"), "<title>The News</title>").encode()


@pytest.fixture
async def client():
    """A client that may connect to private addresses."""
    async with open_feed_client("http://localhost:8000", private=True, now=lambda: NOON) as found:
        yield found


@pytest.fixture
async def strict():
    """A client as in production."""
    async with open_feed_client("https://us.example", private=False, now=lambda: NOON) as found:
        yield found


def feed(url: str, **changes) -> LeasedFeed:
    """A feed to poll."""
    return evolve(LeasedFeed(1, Subscription(url), url, "lease"), **changes)


async def read(client, url: str, **changes):
    """Poll a feed once, within the patience of a test."""
    with trio.fail_after(PATIENCE_S):
        return await client.read(feed(url, **changes))


def moved(to: str, status: str = "301 Moved Permanently"):
    """A redirect."""
    return reply(b"", status, f"Location: {to}")


class Resolver:
    """Gives names fixed addresses, one list for each question; the last one repeats."""

    def __init__(self, **hosts) -> None:
        self.hosts = hosts
        self.asked: list[str] = []
        self._of_system = socket.getaddrinfo

    def getaddrinfo(self, host, port, family=0, type=0, *others, **more):  # noqa: A002 - socket's interface
        """Answer as told; unknown names do not exist, and addresses are themselves."""
        name = host.decode() if isinstance(host, bytes) else host
        if not name.rpartition(".")[2].isalpha():
            return self._of_system(host, port, family, type, *others, **more)
        self.asked.append(name)
        answers = self.hosts.get(name.partition(".")[0])
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, type, 0, "", (one, port))
            for one in found
        ]


@asynccontextmanager
async def resolving(**hosts):
    """Give names these addresses."""
    resolver = Resolver(**hosts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
        yield resolver


async def test_a_feed_is_read(client):
    """Relative addresses are resolved against the feed's own."""
    async with serving(reply(FEED, "200 OK", 'ETag: "v1"', "Cache-Control: max-age=60")) as served:
        found = await read(client, served.url + "/feed")
    assert isinstance(found, FeedReply)
    assert found.content.title == "The News"
    assert found.content.page.returned == 1
    assert found.content.page.dropped == {"bad_url": 1}  # no publisher is at 127.0.0.1
    assert found.headers["cache-control"] == "max-age=60"
    assert found.moved_to is None
    (head,) = served.heads
    assert head.startswith("GET /feed HTTP/1.1\r\n")
    assert "Accept-Encoding: gzip\r\n" in head
    assert "If-None-Match" not in head
    assert "Cookie" not in head


async def test_our_own_address_is_named_if_it_is_public(client, strict):
    """So that a publisher can find us."""
    async with serving(reply(FEED)) as served:
        await read(client, served.url)
    assert "User-Agent: newsintel/0.1.0\r\n" in served.heads[0]
    assert strict._user_agent.endswith("(+https://us.example)")


async def test_validators_go_back_exactly_as_received(client):
    """Also a weak one with letters beyond ASCII; and they are not kept when the server stops."""
    tag = b'ETag: W/"caf\xe9 \'\\x"\r\nLast-Modified: Sat, 14 Mar 2026 11:00:00 GMT\r\n'
    body = b"Content-Length: %d\r\n\r\n%b" % (len(FEED), FEED)

    async def tagged(stream):
        await stream.send_all(b"HTTP/1.1 200 OK\r\n" + tag + body)

    async with serving(sequence(tagged, reply(b"", "304 Not Modified"), reply(FEED))) as served:
        first = await read(client, served.url)
        second = await read(client, served.url, validators=first.validators)
        third = await read(client, served.url, validators=evolve(second.validators, digest="x"))
    assert 'If-None-Match: W/"caf\xe9 \'\\x"\r\n' in served.heads[1]
    assert "If-Modified-Since: Sat, 14 Mar 2026 11:00:00 GMT\r\n" in served.heads[1]
    assert second.content is None
    assert second.validators == first.validators
    assert (third.validators.etag, third.validators.last_modified) == ("", "")


async def test_a_304_may_change_validators(client):
    """RFC 9111, 4.3.4: those that it names replace ours."""
    known = Validators('"a"', "Sat, 14 Mar 2026 11:00:00 GMT", "d")
    newer = "Last-Modified: Sat, 14 Mar 2026 12:00:00 GMT"
    async with serving(reply(b"", "304 Not Modified", newer)) as served:
        found = await read(client, served.url, validators=known)
    assert found.validators == evolve(known, last_modified="Sat, 14 Mar 2026 12:00:00 GMT")


async def test_the_same_body_again_is_unchanged(client):
    """For servers that know no validators."""
    async with serving(reply(FEED)) as served:
        first = await read(client, served.url)
        second = await read(client, served.url, validators=first.validators)
    assert (first.content is None, second.content) == (False, None)


async def test_a_gzip_body_is_read(client):
    """Within the limit for its unpacked size."""
    async with serving(reply(gzip.compress(FEED), "200 OK", "Content-Encoding: gzip")) as served:
        assert (await read(client, served.url)).content.title == "The News"


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        (reply(b"", "404 Not Found"), PollStatus.HTTP_ERROR, "HTTP 404"),
        (reply(b"", "410 Gone"), PollStatus.GONE, "HTTP 410"),
        (reply(b"", "429 Too Many Requests"), PollStatus.RATE_LIMITED, "HTTP 429"),
        (reply(b"", "503 Service Unavailable"), PollStatus.RATE_LIMITED, "HTTP 503"),
        (reply(b"", "302 Found"), PollStatus.HTTP_ERROR, "HTTP 302"),
        (reply(b"<html>"), PollStatus.NOT_A_FEED, "an HTML page instead of a feed"),
        (
            reply(rss("<a>" * 200).encode()),
            PollStatus.REFUSED,
            "XML nested more than 100 levels deep",
        ),
        (
            reply(b"<!DOCTYPE r [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><rss>&a;</rss>"),
            PollStatus.REFUSED,
            "XML that declares an external entity",
        ),
        (faults.bomb(100), PollStatus.REFUSED, "body inflates to more than 2097152 bytes"),
        (faults.bomb(3, twice=True), PollStatus.REFUSED, "content coding is stacked or unknown"),
        (
            faults.flood(100, announced=True),
            PollStatus.REFUSED,
            "body announced as larger than 2097152 bytes",
        ),
        (faults.flood(5, announced=False), PollStatus.REFUSED, "body larger than 2097152 bytes"),
        (faults.not_http, PollStatus.REFUSED, "reply is not HTTP, or breaks off"),
        (faults.eof, PollStatus.UNREACHABLE, "connection closed before an answer"),
        (faults.reset, PollStatus.UNREACHABLE, "connection lost: reset"),
    ],
    ids=lambda value: None if callable(value) else value,
)
async def test_what_is_no_feed_has_its_reason(client, script, status, reason):
    """In one line that quotes nothing of the reply."""
    async with serving(script) as served:
        found = await read(client, served.url)
    assert found == FeedRefusal(status, reason, found.retry_after)


async def test_retry_after_is_passed_on(client):
    """As the server wrote it."""
    async with serving(reply(b"", "429 Too Many Requests", "Retry-After: 77")) as served:
        assert (await read(client, served.url)).retry_after == "77"


async def test_permanent_redirects_are_a_move(client):
    """A temporary one ends it: what comes after it is not for good."""
    async with serving(reply(FEED)) as end:
        async with serving(moved(end.url + "/feed#x", "308 Permanent Redirect")) as served:
            assert (await read(client, served.url)).moved_to == end.url + "/feed"
        async with (
            serving(moved(end.url + "/c", "302 Found")) as second,
            serving(moved(second.url + "/b")) as first,
        ):
            found = await read(client, first.url + "/a")
            assert found.moved_to == second.url + "/b"
            assert found.content is not None
        async with (
            serving(moved(end.url + "/c")) as second,
            serving(moved(second.url + "/b", "307 Temporary Redirect")) as first,
        ):
            assert (await read(client, first.url)).moved_to is None
    async with serving(moved("/again")) as served:
        found = await read(client, served.url)
        assert found == FeedRefusal(PollStatus.HTTP_ERROR, "more than 5 redirects")
        assert len(served.heads) == 6


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("file:///etc/passwd", "neither http nor https"),
        ("gopher://x.example/", "neither http nor https"),
        ("//x.example", "neither http nor https"),
        ("", "neither http nor https"),
        ("http://", "not an address"),
        ("http://[::1", "not an address"),
        ("http://x.example:99999/", "not an address"),
        ("http://" + "x" * 300 + ".example/", "not an address"),
        ("https://x.example/" + "x" * 2048, "not an address"),
        ("https://me:secret@x.example/", "an address with a password"),
        ("https://x.example/feed", None),
        ("HTTP://x.example/feed", None),
    ],
)
async def test_addresses_that_are_never_asked(client, address, fault):
    """Neither as a feed, nor as the end of a redirect."""
    assert find_url_fault(address) == fault
    if fault is not None:
        assert await read(client, address) == FeedRefusal(PollStatus.REFUSED, fault)
    if address.startswith(("file", "gopher", "https://me")):
        async with serving(moved(address)) as served:
            assert await read(client, served.url) == FeedRefusal(PollStatus.REFUSED, fault)


async def test_a_redirect_beyond_ascii_is_escaped(client):
    """Its bytes are UTF-8, as browsers read them; so a move can be stored."""
    async with serving(reply(FEED)) as end, serving(moved(end.url + "/新?a b")) as first:
        found = await read(client, first.url)
    assert found.moved_to == end.url + "/%E6%96%B0?a%20b"


HOSTS = (
    "127.0.0.1 127.1 0 0x7f000001 2130706433 10.0.0.1 169.254.169.254 [::1] [::ffff:127.0.0.1] "
    "[fe80::1] [fd00::1] 100.64.0.1 0.0.0.0 192.168.1.1 localhost"
)
PRIVATE = "the host is on a private network"


@pytest.mark.parametrize(
    "host",
    HOSTS.split(),
)
async def test_no_connection_to_a_private_address(strict, host):
    """In whatever spelling; some spellings are no host at all."""
    found = await read(strict, f"http://{host}:9/")
    assert isinstance(found, FeedRefusal)
    assert found.reason == PRIVATE or found.status is PollStatus.UNREACHABLE
    if host[0] in "[1l":
        assert found == FeedRefusal(PollStatus.REFUSED, PRIVATE)


async def test_a_name_of_a_private_address_is_refused(strict):
    """Also if only one of its addresses is private: the next look-up could give that one."""
    async with (
        serving(reply(FEED)) as served,
        resolving(inside=[["127.0.0.1"]], mixed=[["93.184.215.14", "10.0.0.1"]]),
    ):
        port = served.url.rpartition(":")[2]
        for name in ("inside", "mixed"):
            found = await read(strict, f"http://{name}.example:{port}/")
            assert found == FeedRefusal(PollStatus.REFUSED, PRIVATE)
        assert (await read(strict, "http://nobody.example/")).status is PollStatus.UNREACHABLE
    assert served.heads == []


async def test_a_redirect_to_a_private_address_is_refused(strict, monkeypatch):
    """Each redirect is checked again. The first server is public here."""
    monkeypatch.setattr(
        "newsintel.outbound.public_network.is_public", lambda address: address != "127.0.0.2"
    )
    async with serving(reply(FEED)) as inside, resolving(inside=[["127.0.0.2"]]):
        port = inside.url.rpartition(":")[2]
        async with serving(moved(f"http://inside.example:{port}/")) as outside:
            found = await read(strict, outside.url)
    assert found == FeedRefusal(PollStatus.REFUSED, PRIVATE)
    assert inside.heads == []


async def test_a_name_is_resolved_once_and_the_checked_address_is_used(strict, monkeypatch):
    """A second answer of the resolver (DNS rebinding) is never asked for."""
    monkeypatch.setattr(
        "newsintel.outbound.public_network.is_public", lambda address: address == "127.0.0.1"
    )
    async with (
        serving(reply(FEED)) as served,
        resolving(name=[["127.0.0.1"], ["169.254.169.254"]]) as resolver,
    ):
        port = served.url.rpartition(":")[2]
        found = await read(strict, f"http://name.example:{port}/")
    assert isinstance(found, FeedReply)
    assert resolver.asked == ["name.example"]
    assert f"Host: name.example:{port}" in served.heads[0]


async def test_look_ups_without_an_answer_leave_other_threads_free(client, monkeypatch):
    """Nobody can end the thread of a look-up. Feeds have threads of their own, a bounded number."""
    answer, asked = threading.Event(), []

    def hang(host, _port, _family=0, type=0, _proto=0, flags=0):  # noqa: A002 - socket's interface
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        asked.append(host)
        answer.wait(PATIENCE_S)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        for number in range(MOST_LOOK_UPS + 3):
            with trio.move_on_after(0.05) as patience:
                await client.fetch(f"http://name{number}.example/", {})
            assert patience.cancelled_caught
        assert len(asked) <= MOST_LOOK_UPS
        assert trio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
    finally:
        answer.set()


async def test_the_next_address_of_a_host_is_tried(client):
    """The first one may be down."""
    async with serving(reply(FEED)) as served, resolving(name=[["127.0.0.2", "127.0.0.1"]]):
        port = served.url.rpartition(":")[2]
        assert isinstance(await read(client, f"http://name.example:{port}/"), FeedReply)
    async with resolving(name=[[]]):
        found = await read(client, "http://name.example/")
    assert found.status is PollStatus.UNREACHABLE


async def test_the_certificate_is_checked_against_the_name(client, tmp_path):
    """Although the connection goes to an address."""
    async with serving(reply(FEED), tls=faults.self_signed(tmp_path)) as served:
        port = served.url.rpartition(":")[2]
        async with resolving(name=[["127.0.0.1"]]):
            found = await read(client, f"https://name.example:{port}/")
    assert found.status is PollStatus.UNREACHABLE
    assert found.reason.startswith("cannot connect: TLS")
