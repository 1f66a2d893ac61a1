"""Receivers of alerts that nobody here wrote: Python's HTTP server and aiosmtpd."""

import base64
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from attrs import define, field

from tests.service import ROOT, free_port


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


class QuietServer(ThreadingHTTPServer):
    """Python's HTTP server, which prints nothing when a client is killed."""

    def handle_error(self, *_: object) -> None:
        """The client has left."""


@contextmanager
def receiving(*statuses: int, **headers: str) -> Iterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver(statuses=list(statuses) or [204], headers=headers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True  # its client was killed while it sent
                return
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

    with QuietServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@define
class Mailbox:
    """A running aiosmtpd."""

    port: int
    folder: Path

    @property
    def mails(self) -> list[tuple[str, tuple[str, ...], EmailMessage]]:
        """The sender, the recipients and the content of each mail that it accepted."""
        found = []
        for file in sorted(self.folder.iterdir()):
            mail = json.loads(file.read_text())
            content = base64.b64decode(mail["content"])
            message = message_from_bytes(content, policy=policy.default)
            found.append((mail["from"], tuple(mail["to"]), message))
        return found


@contextmanager
def mailbox(*, refuse: str = "", end: str = "250 OK", **options) -> Iterator[Mailbox]:
    """Run aiosmtpd on a free port of 127.0.0.1; see `smtp_server` for the options."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        given = options | {"port": port, "refuse": refuse, "end": end, "folder": folder}
        command = [sys.executable, "-m", "tests.outbound.alerts.smtp_server", json.dumps(given)]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            assert server.stdin is not None
            assert server.stdout.readline() == "listening\n"
            try:
                yield Mailbox(port, Path(folder))
            finally:
                server.stdin.close()
