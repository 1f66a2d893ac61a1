"""Sends alerts by e-mail through the operator's mail server. Implements `Sender`.

The client is that of the standard library, which blocks: each mail is sent in a thread, and at most
MOST_AT_ONCE threads run. At the time limit the connection is cut, so the thread ends.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from typing import IO, Any

import trio
from attrs import define, field, frozen

from newsintel.config.smtp_url import SmtpServer
from newsintel.domain.alerts.delivery_model import Attempt, ClaimedDelivery, Outcome
from newsintel.domain.alerts.mail import MailLinks, build_confirmation, build_mail
from newsintel.domain.ports import SharedCounter
from newsintel.domain.security.keys import digest_secret
from newsintel.errors import UnavailableError

MAIL_S = 20.0
"""Time limit of one attempt, from the look-up of the server to its last answer."""

MOST_CONFIRMATIONS, DAY_S = 3, 86_400
"""Mails in a day that ask an address to be confirmed, over all accounts: nobody can flood it."""

MOST_OF_PERSON = 20
"""Such mails in a day that one person can cause, to all addresses together."""

MOST_AT_ONCE = 4
"""Connections to the mail server. More mails wait within their own time."""

MOST_LINES = 100
"""Lines of one answer, each of 8 KiB at most. A large server's greeting has about 20. The library
would read on without end, and a server, or an attacker between it and us before TLS, could fill the
memory within the time limit.
"""

_NO_MAILBOX = re.compile(rb"(?:^|\s)5\.1\.(?:1|2|3|6|10)(?:\s|$)")
"""The address does not exist, has moved, or takes no mail (RFC 3463, 3.2; RFC 7505, 4)."""


@frozen
class MailSender:
    """Sends by SMTP.

    Attributes:
        server: the operator's.
        sender: SMTP_FROM.
        host: of this service, which greets the mail server with it.
        build_links: the links of a mail, by the number of its channel.
        counter: counts the confirmations that an address was asked for.
    """

    _server: SmtpServer
    _sender: str
    _host: str
    _build_links: Callable[[int], MailLinks]
    _counter: SharedCounter
    _threads: trio.CapacityLimiter = field(
        init=False, factory=lambda: trio.CapacityLimiter(MOST_AT_ONCE)
    )

    async def send(self, delivery: ClaimedDelivery) -> Attempt:
        """Send a mail once. An address that is not confirmed is only asked whether it wants it."""
        links = self._build_links(delivery.channel)
        if delivery.confirmed:
            mail = build_mail(delivery, self._sender, links)
        elif refused := await self._find_refusal(delivery):
            return Attempt(Outcome.REFUSED, detail=refused)
        else:
            mail = build_confirmation(delivery, self._sender, links)
        session = _Session(self._server, self._host)
        try:
            with trio.move_on_after(MAIL_S):
                return await trio.to_thread.run_sync(
                    session.send, mail, limiter=self._threads, abandon_on_cancel=True
                )
        finally:
            session.cut()
        return Attempt(Outcome.TIMEOUT, detail=f"the mail server took longer than {MAIL_S:g} s")

    async def _find_refusal(self, delivery: ClaimedDelivery) -> str | None:
        """Count a confirmation, and return why it is not sent; None if it may be.

        The person's own limit comes first, so that nobody can use up those of many addresses.
        """
        try:
            if await self._count(f"of {delivery.person}") > MOST_OF_PERSON:
                return f"you asked {MOST_OF_PERSON} addresses today"
            if await self._count(_find_mailbox(delivery.address)) > MOST_CONFIRMATIONS:
                return "the address was asked three times today"
        except UnavailableError:
            return "confirmations cannot be counted now"
        return None

    async def _count(self, what: str) -> int:
        return await self._counter.add(f"confirmations:{digest_secret(what)}", 1, DAY_S)


def _find_mailbox(address: str) -> str:
    """Return an address without its detail (RFC 5233): `a+x@b.org` arrives where `a@b.org` does."""
    local, _, host = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{host}"


@define
class _Session:
    """One connection to the mail server, which another thread can cut."""

    _server: SmtpServer
    _host: str
    _client: smtplib.SMTP | None = None
    is_cut: bool = False

    def send(self, mail: EmailMessage) -> Attempt:
        """Send a mail; blocks."""
        try:
            client = self._connect()
            client.send_message(mail)
            # It has accepted the mail, whatever it answers now.
            with suppress(OSError, _TooLongError, _CutError):
                client.quit()
        except smtplib.SMTPException as error:
            return _judge_answer(error)
        except _CutError:
            return Attempt(Outcome.TIMEOUT, detail="cannot connect in time")
        except _TooLongError:
            return Attempt(Outcome.REFUSED, detail="the mail server's answer is too long")
        except OSError as error:
            return Attempt(Outcome.UNREACHABLE, detail=_find_reason(error))
        except ValueError:  # a host that is no name, a password beyond ASCII, a broken challenge
            return Attempt(Outcome.REFUSED, detail="a name, password or challenge cannot be used")
        finally:
            if self._client is not None:
                self._client.close()
        return Attempt(Outcome.DELIVERED, 250)

    def _connect(self) -> smtplib.SMTP:
        """Connect, encrypt and sign in. The library's errors are OSErrors."""
        server, context = self._server, ssl.create_default_context()
        at = (server.host, server.port, self._host)
        if server.implicit_tls:
            client: smtplib.SMTP = _TlsClient(self, *at, timeout=MAIL_S, context=context)
        else:
            client = _Client(self, *at, timeout=MAIL_S)
            client.ehlo()
            if server.needs_tls or client.has_extn("starttls"):
                client.starttls(context=context)
        if server.name is not None and server.password is not None:
            client.login(server.name, server.password)
        return client

    def note(self, client: smtplib.SMTP) -> None:
        """Note the client before it connects."""
        self._client = client

    def cut(self) -> None:
        """Wake the thread that waits for the server; it then finds the connection closed.

        While it connects or begins TLS there is no connection to close yet: then it ends before it
        reads the next line.
        """
        self.is_cut = True
        connection = getattr(self._client, "sock", None)
        if connection is not None:
            with suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)


class _TooLongError(Exception):
    """An answer has more than MOST_LINES."""


class _CutError(Exception):
    """The session was cut while it had no connection: this attempt is over."""


class _Answers:
    """Reads the lines of answers, until the session is cut."""

    def __init__(self, file: IO[bytes], session: _Session) -> None:
        self._file = file
        self._session = session
        self._lines = 0

    def begin_answer(self) -> None:
        """Count from here."""
        self._lines = 0

    def readline(self, size: int) -> bytes:
        """Return the next line, or the first `size` bytes of it."""
        if self._session.is_cut:
            raise _CutError
        self._lines += 1
        if self._lines > MOST_LINES:
            raise _TooLongError
        return self._file.readline(size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Client(smtplib.SMTP):
    """Makes itself known to its session before it connects, which its constructor does."""

    def __init__(self, session: _Session, *args: Any, **more: Any) -> None:
        self._session = session
        session.note(self)
        super().__init__(*args, **more)

    def getreply(self) -> tuple[int, bytes]:
        """Read an answer of at most MOST_LINES."""
        if self.file is None and self.sock is not None:  # it has connected, or begun TLS
            self.file = _Answers(self.sock.makefile("rb"), self._session)
        if self.file is not None:
            self.file.begin_answer()
        return super().getreply()


class _TlsClient(_Client, smtplib.SMTP_SSL):
    """The same, with TLS from the start."""


def _judge_answer(error: smtplib.SMTPException) -> Attempt:
    """Return what an error of the library means. Answers of the server are not quoted."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, text = next(iter(error.recipients.values()))
            if _NO_MAILBOX.search(text):
                return Attempt(Outcome.GONE, code, "the mailbox does not exist")
            return Attempt(Outcome.REFUSED, code, f"SMTP {code} for the recipient")
        case smtplib.SMTPAuthenticationError():
            code = error.smtp_code
            return Attempt(Outcome.REFUSED, code, "the mail server refused our name or password")
        case smtplib.SMTPResponseException():
            return Attempt(Outcome.REFUSED, error.smtp_code, f"SMTP {error.smtp_code}")
        case smtplib.SMTPNotSupportedError():
            return Attempt(Outcome.UNREACHABLE, detail="the mail server lacks TLS or sign-in")
        case _:
            return Attempt(Outcome.UNREACHABLE, detail="the mail server closed the connection")


def _find_reason(error: OSError) -> str:
    match error:
        case ssl.SSLError():
            return "cannot connect: TLS"
        case socket.gaierror():
            return "cannot connect: DNS"
        case ConnectionRefusedError():
            return "cannot connect: refused"
        case TimeoutError():
            return "cannot connect in time"
        case _:
            return "cannot connect"
