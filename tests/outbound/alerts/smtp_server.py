"""aiosmtpd as a process of its own: `python -m tests.outbound.alerts.smtp_server OPTIONS`.

In the process of the tests asyncio is patched by trio-asyncio. OPTIONS are JSON: `port`, `refuse`,
`end`, `folder`, and for TLS `certificate`, `key` and `implicit`, for sign-in `password`. It prints
a line when it listens, writes each mail as a file of JSON into the folder, and ends with its input.
"""

import base64
import json
import ssl
import sys
from itertools import count
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Handler:
    """Accepts or refuses what comes.

    Args:
        options: `refuse` is the answer to a recipient, "" to accept; `end` that to a mail's data.
    """

    def __init__(self, options):
        self._options = options
        self._numbers = count(1)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        """Accept or refuse a recipient."""
        if self._options["refuse"]:
            return self._options["refuse"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        """Write a mail into the folder."""
        if self._options["end"].startswith("250"):
            body = {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "content": base64.b64encode(envelope.content).decode(),
            }
            file = Path(self._options["folder"]) / f"{next(self._numbers):04}.json"
            file.write_text(json.dumps(body))
        return self._options["end"]


def build_tls(options):
    """Return the server's side of TLS, if it is wanted."""
    if "certificate" not in options:
        return {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["certificate"], options["key"])
    if options.get("implicit"):
        return {"ssl_context": context}
    return {"tls_context": context, "require_starttls": True}


def build_sign_in(options):
    """Return who may sign in, if anybody must."""
    if "password" not in options:
        return {}

    def check(_server, _session, _envelope, _mechanism, data):
        good = (data.login, data.password) == (b"news", options["password"].encode())
        return AuthResult(success=good, handled=False)

    return {"authenticator": check, "auth_required": True}


def main():
    """Serve until the input ends."""
    options = json.loads(sys.argv[1])
    more = build_tls(options) | build_sign_in(options)
    controller = Controller(Handler(options), hostname="127.0.0.1", port=options["port"], **more)
    controller.start()
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    sys.stdin.read()
    controller.stop()


if __name__ == "__main__":
    main()
