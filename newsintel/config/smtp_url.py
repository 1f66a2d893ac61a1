"""The mail server that SMTP_URL names, and the sender that SMTP_FROM names."""

import re
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from attrs import frozen

from newsintel.config.mail_address import is_mail_address
from newsintel.config.values import Secret, is_loopback

DEFAULT_PORTS = {"smtp": 587, "smtps": 465}
"""Of submission, with STARTTLS (RFC 6409) and with TLS from the start (RFC 8314)."""

_URL = "must be a URL such as smtps://name:password@mail.example.org"
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")


@frozen
class SmtpServer:
    """A mail server.

    Attributes:
        implicit_tls: TLS from the start, instead of STARTTLS.
        name, password: for signing in; both None for a server that asks for none.
    """

    host: str
    port: int
    implicit_tls: bool
    name: str | None = None
    password: str | None = None

    @property
    def needs_tls(self) -> bool:
        """Whether mail must be encrypted on its way: to every server but one on this machine."""
        return not is_loopback(self.host)


def check_smtp_url(raw: str) -> Secret:
    """An address of a mail server, `smtp://` or `smtps://`; it is a secret as it has a password."""
    read_smtp_url(raw.strip())
    return Secret(raw.strip())


def read_smtp_url(url: str) -> SmtpServer:
    """Read an address of a mail server.

    Raises:
        ValueError: it is not one. The message states the rule.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise ValueError(_URL) from None
    if parts.scheme not in DEFAULT_PORTS or not host or not _HOST.fullmatch(host) or port == 0:
        raise ValueError(_URL)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{_URL}, without a path or a query")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("must have both a name and a password, or neither")
    return SmtpServer(
        host,
        port or DEFAULT_PORTS[parts.scheme],
        parts.scheme == "smtps",
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
    )


def parse_sender(raw: str) -> str:
    """A sender of mails: an address, or a name and `<address>`."""
    if not (raw.isprintable() and is_mail_address(parseaddr(raw)[1])):
        raise ValueError("must be a sender such as alerts@example.org or News <alerts@example.org>")
    return raw.strip()
