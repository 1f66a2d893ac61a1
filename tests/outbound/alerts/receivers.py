"""Receivers of alerts that nobody here wrote: Python's HTTP server and aiosmtpd."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from attrs import define, field


@define
class Received:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@define
class Receiver:
    """A running HTTP server that answers each POST with the next status; the last one repeats.

    Attributes:
        headers: of each answer, with `_` for `-`.
        delay_s: before each answer.
    """

    url: str = ""
    statuses: list[int] = field(factory=lambda: [204])
    headers: dict[str, str] = field(factory=dict)
    requests: list[Received] = field(factory=list)
    delay_s: float = 0.0


@contextmanager
def receiving(*statuses: int, **headers: str) -> Iterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver(statuses=list(statuses) or [204], headers=headers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            names = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append(Received(self.path, names, body))
            time.sleep(receiver.delay_s)
            some = len(receiver.statuses) > 1
            status = receiver.statuses.pop(0) if some else receiver.statuses[0]
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@define
class Mailbox:
    """What an SMTP server has accepted.

    Attributes:
        refuse: the answer to a recipient; "" = accept.
        end: the answer to a mail's data.
    """

    port: int = 0
    refuse: str = ""
    end: str = "250 OK"
    mails: list = field(factory=list)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        """Accept or refuse a recipient."""
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        """Keep a mail."""
        if self.end.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            self.mails.append((envelope.mail_from, tuple(envelope.rcpt_tos), mail))
        return self.end


@contextmanager
def mailbox(*, refuse: str = "", end: str = "250 OK", **options) -> Iterator[Mailbox]:
    """Run aiosmtpd on a free port of 127.0.0.1.

    Args:
        refuse, end: see `Mailbox`.
        options: of aiosmtpd's controller.
    """
    box = Mailbox(find_free_port(), refuse, end)
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def find_free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
