"""Adds to every response its request id and the security headers for browsers."""

import random
import re
from collections.abc import Iterable
from typing import Any

from newsintel.config.settings import Settings
from newsintel.http.asgi import Asgi, HeaderLines, Receive, Scope, Send
from newsintel.runtime.telemetry.logs import enter_context

SECURITY_HEADERS = (
    # OWASP ASVS 5.0, 3.4.4 and 3.4.5: browsers keep the declared content type and send no Referer.
    # DENY_ALL_POLICY covers 3.4.3 and 3.4.6: responses load nothing and cannot be framed.
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)

DENY_ALL_POLICY = b"default-src 'none'; frame-ancestors 'none'"
"""The default content security policy. HTML pages set their own in `scope["state"]["policy"]`."""

NO_CONTENT = 204

BODY_HEADERS = frozenset({b"content-length", b"content-type"})
"""Headers that describe a body, so a 204 must not have them."""

# ASVS 3.4.1 requires at least one year. Subdomains are not included: they may have another owner.
HSTS = (b"strict-transport-security", b"max-age=31536000")


class Envelope:
    """The outermost ASGI middleware.

    It puts the request id into `scope["state"]["request_id"]` and into every log line of the
    request.
    """

    def __init__(self, app: Asgi, settings: Settings) -> None:
        self._app = app
        self._fixed = (
            *SECURITY_HEADERS,
            *((HSTS,) if settings.public_url.startswith("https://") else ()),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        # Each request runs in its own task, so this context ends with the request.
        enter_context({"request_id": assign_request_id(scope)})

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                lines = [*_drop_body_headers(message), *self.build_headers(scope)]
                message = {**message, "headers": lines}
            await send(message)

        await self._app(scope, receive, sending)

    def build_headers(self, scope: Scope) -> HeaderLines:
        """Return the header lines that every response has."""
        state = scope["state"]
        return [
            *self._fixed,
            (b"x-request-id", state["request_id"].encode()),
            (b"content-security-policy", state.get("policy", DENY_ALL_POLICY)),
        ]


def _drop_body_headers(start: Any) -> Iterable[tuple[bytes, bytes]]:
    """Return a response's headers; for a 204 without those that describe a body (RFC 9110 8.6)."""
    headers: Iterable[tuple[bytes, bytes]] = start["headers"]
    if start["status"] != NO_CONTENT:
        return headers
    return [header for header in headers if header[0].lower() not in BODY_HEADERS]


def assign_request_id(scope: Scope) -> str:
    """Return a request's id. If it has none yet, choose one and store it in the scope."""
    state = scope.setdefault("state", {})
    if "request_id" not in state:
        state["request_id"] = choose_request_id(scope["headers"])
    request_id: str = state["request_id"]
    return request_id


def choose_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the caller's X-Request-Id if it is single and safe in a log line, else a new id."""
    given = [value for name, value in headers if name == b"x-request-id"]
    if len(given) == 1 and re.fullmatch(rb"[A-Za-z0-9-]{1,64}", given[0]):
        return given[0].decode()
    # An identifier, not a secret: `random` is eight times faster than a secret generator.
    return f"{random.getrandbits(128):032x}"
