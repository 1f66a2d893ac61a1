"""Alerts by e-mail, to aiosmtpd."""

import socket
import ssl
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio
from attrs import evolve

from newsintel.config.smtp_url import read_smtp_url
from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import Attempt, Outcome
from newsintel.domain.alerts.mail import MailLinks, build_confirmation
from newsintel.outbound.alerts import mail_sender
from newsintel.outbound.alerts.mail_sender import MailSender
from tests import faults
from tests.authority import Authority
from tests.domain.alerts.made import WORLD, delivery, story
from tests.fakes.basics import MemoryCounter
from tests.faults import serving
from tests.outbound.alerts.receivers import mailbox
from tests.service import free_port
from tests.waiting import PATIENCE_S

BASE = "https://us.example"
LINKS = MailLinks(f"{BASE}/alerts", f"{BASE}/unsubscribe/7/t", f"{BASE}/confirm/7/t", "us.example")
CODES = {"": 220, "AUTH": 235, "DATA": 354, "QUIT": 221}
"""What a mail server answers to a command, if not 250; "" = its greeting."""
SENT = delivery(ChannelKind.EMAIL, "alice@example.org")


def build_sender(url: str, counter=None) -> MailSender:
    """A sender for a server."""
    return MailSender(
        read_smtp_url(url),
        "News <alerts@us.example>",
        "us.example",
        lambda _channel: LINKS,
        counter or MemoryCounter(),
    )


async def send(url: str, sent=SENT) -> Attempt:
    """Send once, within the patience of a test."""
    with trio.fail_after(PATIENCE_S):
        return await build_sender(url).send(sent)


@pytest.fixture
def authority(tmp_path, monkeypatch) -> Authority:
    """An authority that our client trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    return made


def files_of(authority: Authority, name: str = "localhost") -> dict[str, str]:
    """The files of a certificate, as `mailbox` takes them."""
    pair = authority.issue(name)
    return {"certificate": str(pair.certificate), "key": str(pair.key)}


async def test_a_server_on_this_machine_needs_no_tls():
    """A mail arrives whole, with the world's titles and its unsubscribe headers."""
    stories = tuple(story(str(at), title) for at, title in enumerate(WORLD))
    sent = delivery(ChannelKind.EMAIL, "alice@example.org", stories=stories)
    with mailbox() as box:
        assert await send(f"smtp://127.0.0.1:{box.port}", sent) == Attempt(Outcome.DELIVERED, 250)
        ((sender, recipients, mail),) = box.mails
    assert (sender, recipients) == ("alerts@us.example", ("alice@example.org",))
    assert mail["List-Unsubscribe"] == "<https://us.example/unsubscribe/7/t>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = (part.get_content() for part in mail.iter_parts())
    for title in WORLD:
        assert title in text
    assert html.count("<li") == len(WORLD)


async def test_starttls_and_sign_in(authority):
    """The password is sent over TLS alone: the server requires it."""
    with mailbox(**files_of(authority), password="s3cret/word") as box:
        at = f"localhost:{box.port}"
        assert (await send(f"smtp://news:s3cret%2Fword@{at}")).outcome is Outcome.DELIVERED
        wrong = await send(f"smtp://news:wrong-word@{at}")
        assert len(box.mails) == 1
    assert wrong == Attempt(Outcome.REFUSED, 535, "the mail server refused our name or password")


async def test_tls_from_the_start(authority):
    """As RFC 8314 recommends."""
    with mailbox(**files_of(authority), implicit=True) as box:
        assert (await send(f"smtps://localhost:{box.port}")).outcome is Outcome.DELIVERED
        assert len(box.mails) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_certificate_of_another_host_is_refused(authority, scheme):
    """With STARTTLS, and from the start."""
    tls = files_of(authority, "other.example")
    if scheme == "smtp":
        with mailbox(**tls) as box:
            found = await send(f"smtp://localhost:{box.port}")
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls["certificate"], tls["key"])
        async with serving(faults.stall, tls=context) as served:
            found = await send(f"smtps://localhost:{served.url.rpartition(':')[2]}")
    assert found == Attempt(Outcome.UNREACHABLE, detail="cannot connect: TLS")


async def test_mail_never_leaves_the_machine_in_the_clear(monkeypatch):
    """A server elsewhere that offers no TLS gets nothing, not even the recipient."""
    monkeypatch.setattr("newsintel.config.smtp_url.is_loopback", lambda _host: False)
    with mailbox() as box:
        found = await send(f"smtp://127.0.0.1:{box.port}")
        assert box.mails == []
    assert found == Attempt(Outcome.UNREACHABLE, detail="the mail server lacks TLS or sign-in")


@pytest.mark.parametrize(
    ("refuse", "found"),
    [
        ("550 5.1.1 No such user", Attempt(Outcome.GONE, 550, "the mailbox does not exist")),
        ("556 5.1.10 Null MX", Attempt(Outcome.GONE, 556, "the mailbox does not exist")),
        ("550 5.7.1 Blocked", Attempt(Outcome.REFUSED, 550, "SMTP 550 for the recipient")),
        ("450 4.2.1 Greylisted", Attempt(Outcome.REFUSED, 450, "SMTP 450 for the recipient")),
        ("452 4.2.2 Full", Attempt(Outcome.REFUSED, 452, "SMTP 452 for the recipient")),
    ],
)
async def test_what_an_answer_for_a_recipient_means(refuse, found):
    """Only a mailbox that does not exist ends its channel (RFC 3463, 3.2)."""
    with mailbox(refuse=refuse) as box:
        assert await send(f"smtp://127.0.0.1:{box.port}") == found


async def test_a_refused_mail_is_no_delivery():
    """Also if the recipient was accepted."""
    with mailbox(end="554 5.6.0 Not here") as box:
        found = await send(f"smtp://127.0.0.1:{box.port}")
    assert found == Attempt(Outcome.REFUSED, 554, "SMTP 554")


async def test_no_server_and_no_name():
    """Each has its reason."""
    refused = await send(f"smtp://127.0.0.1:{free_port()}")
    assert refused == Attempt(Outcome.UNREACHABLE, detail="cannot connect: refused")
    unknown = await send("smtp://nobody.invalid")
    assert unknown == Attempt(Outcome.UNREACHABLE, detail="cannot connect: DNS")


async def test_a_server_that_closes():
    """Before its greeting."""
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, _close, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        found = await send(f"smtp://127.0.0.1:{port}")
        nursery.cancel_scope.cancel()
    assert found.outcome is Outcome.UNREACHABLE


async def _close(stream: trio.SocketStream) -> None:
    await stream.aclose()


async def test_a_server_that_hangs_ends_neither_the_actor_nor_the_thread(monkeypatch):
    """At the time limit the connection is cut, so the thread is free for the next mail."""
    monkeypatch.setattr(mail_sender, "MAIL_S", 0.2)
    async with trio.open_nursery() as nursery:

        async def hang(stream):
            await stream.send_all(b"220-wait\r\n")
            await trio.sleep_forever()

        (listener,) = await nursery.start(partial(trio.serve_tcp, hang, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        sender = build_sender(f"smtp://127.0.0.1:{port}")
        with trio.fail_after(PATIENCE_S):
            assert (await sender.send(SENT)).outcome is Outcome.TIMEOUT
            while sender._threads.borrowed_tokens:  # noqa: ASYNC110 - a thread announces nothing
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def talking(talk):
    """Serve a conversation with every client; give the server's address."""

    async def serve(stream):
        with suppress(trio.BrokenResourceError):
            await talk(stream)

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        yield f"127.0.0.1:{listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("endless", ["", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", ".", "QUIT"])
async def test_an_answer_without_end_is_refused(endless):
    """The library collects its lines in memory. An attacker can send one before TLS begins."""

    async def talk(stream):
        received, command = b"", ""
        while True:
            code = CODES.get(command, 250)
            lines = 5_000 if command == endless else 1
            begin = f"{code}-hello\r\n" + f"{code}-AUTH PLAIN\r\n" * lines
            await stream.send_all(f"{begin}{code} OK\r\n".encode())
            end = b"\r\n.\r\n" if command == "DATA" else b"\r\n"
            while end not in received:
                if not (data := await stream.receive_some()):
                    return
                received += data
            line, _, received = received.partition(end)
            command = "." if command == "DATA" else line.split()[0].decode().upper()

    async with talking(talk) as at:
        found = await send(f"smtp://news:password@{at}")
    # What comes after the mail was accepted says nothing.
    accepted = Attempt(Outcome.DELIVERED, 250)
    refused = Attempt(Outcome.REFUSED, detail="the mail server's answer is too long")
    assert found == (accepted if endless == "QUIT" else refused)


@pytest.mark.parametrize(
    ("password", "challenge"), [("password", "a"), ("password", "!!!!"), ("s%C3%A9cret", "")]
)
async def test_what_the_library_cannot_read_or_send_is_no_bug(password, challenge):
    """A challenge must be base64 (RFC 4954, section 4), and the library sends ASCII alone."""

    async def talk(stream):
        for answer in ("220 hi", "250-hi\r\n250 AUTH PLAIN", f"334 {challenge}", "334 a", "334 a"):
            await stream.send_all(f"{answer}\r\n".encode())
            await stream.receive_some()

    async with talking(talk) as at:
        found = await send(f"smtp://news:{password}@{at}")
    assert found == Attempt(Outcome.REFUSED, detail="a name, password or challenge cannot be used")


def test_nothing_is_sent_after_the_time_limit():
    """A look-up of the server's name may take longer: then the next attempt sends the mail."""
    with mailbox() as box:
        session = mail_sender._Session(read_smtp_url(f"smtp://127.0.0.1:{box.port}"), "us.example")
        session.cut()
        found = session.send(build_confirmation(SENT, "alerts@us.example", LINKS))
        assert (found.outcome, box.mails) == (Outcome.TIMEOUT, [])


async def test_a_session_that_is_cut_while_tls_begins_ends(authority):
    """It has no connection to close then. A server that drips its next answer would keep it."""
    pair = authority.issue("localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    begun, cut = trio.Event(), trio.Event()

    async def talk(stream):
        for answer in ("220 hi", "250-hi\r\n250 STARTTLS", "220 begin"):
            await stream.send_all(f"{answer}\r\n".encode())
            await stream.socket.recv(100, 0 if answer != "220 begin" else socket.MSG_PEEK)
        begun.set()
        await cut.wait()
        encrypted = trio.SSLStream(stream, context, server_side=True)
        await encrypted.do_handshake()
        while True:
            await encrypted.send_all(b"2")
            await trio.sleep(0.1)

    async with talking(talk) as at:
        server = read_smtp_url(f"smtp://news:pw@localhost:{at.rpartition(':')[2]}")
        session = mail_sender._Session(server, "us.example")
        mail = build_confirmation(SENT, "alerts@us.example", LINKS)
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                run = partial(trio.to_thread.run_sync, abandon_on_cancel=True)
                nursery.start_soon(run, session.send, mail)
                await begun.wait()
                session.cut()
                cut.set()


async def test_an_address_is_asked_first_and_three_times_a_day():
    """Over all accounts, in capitals too; the mail has no story."""
    unconfirmed = evolve(SENT, is_test=True, confirmed=False)
    louder = evolve(unconfirmed, address="ALICE@example.org")
    with mailbox() as box:
        sender = build_sender(f"smtp://127.0.0.1:{box.port}")
        for sent in (unconfirmed, louder, unconfirmed):
            assert (await sender.send(sent)).outcome is Outcome.DELIVERED
        refused = await sender.send(unconfirmed)
        assert refused == Attempt(Outcome.REFUSED, detail="the address was asked three times today")
        assert (await sender.send(SENT)).outcome is Outcome.DELIVERED
        assert len(box.mails) == 4
        asked = box.mails[0][2]
    assert "https://us.example/confirm/7/t" in asked.get_content()
    assert "Title of a" not in asked.get_content()


async def test_a_mailbox_has_one_count_whatever_its_detail():
    """RFC 5233: what stands behind a plus sign names the same mailbox."""
    sender = build_sender("smtp://127.0.0.1:1")
    for detail in ("+a", "+b+c", "", "+d"):
        asked = evolve(SENT, is_test=True, confirmed=False, address=f"alice{detail}@example.org")
        refused = await sender._find_refusal(asked)
    assert refused == "the address was asked three times today"


async def test_a_person_asks_twenty_addresses_a_day():
    """So an account is no way to send mails to all the world; others are not held up."""
    sender = build_sender("smtp://127.0.0.1:1")
    asked = evolve(SENT, is_test=True, confirmed=False)
    for number in range(mail_sender.MOST_OF_PERSON):
        assert await sender._find_refusal(evolve(asked, address=f"a{number}@b.example")) is None
    refused = await sender._find_refusal(evolve(asked, address="last@b.example"))
    assert refused == "you asked 20 addresses today"
    other = evolve(asked, address="last@b.example", person="u_other")
    assert await sender._find_refusal(other) is None
