"""What every response carries, whoever made it: an id to find it by, and headers that keep browsers careful."""

import random
import re
from collections.abc import Iterable
from typing import Any

from newsintel.config.settings import Settings
from newsintel.http.asgi import Asgi, Receive, Scope, Send
from newsintel.runtime.telemetry.logs import enter_context

SECURITY = (
    # OWASP ASVS 5.0, 3.4.4, 3.4.5: bytes stay the type we said, no address leaks onward. 3.4.3 and 3.4.6 are NOTHING's: nothing is loaded,
    # nothing frames us.
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)

NOTHING = b"default-src 'none'; frame-ancestors 'none'"
"""The content security policy of every answer but pages, which leave their own in `scope["state"]["policy"]`."""

NO_CONTENT = 204

OF_A_BODY = frozenset({b"content-length", b"content-type"})
"""What a 204 must not have, for it has no body."""

# ASVS 3.4.1 asks for a year at least. Not for subdomains: they may be someone else's.
HSTS = (b"strict-transport-security", b"max-age=31536000")


class Envelope:
    """ASGI middleware round everything else. Leaves the id in `scope["state"]["request_id"]` and in every log line of the request."""

    def __init__(self, app: Asgi, settings: Settings) -> None:
        self._app = app
        self._fixed = (*SECURITY, *((HSTS,) if settings.public_url.startswith("https://") else ()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request_id = chosen_id(scope["headers"])
        scope.setdefault("state", {})["request_id"] = request_id
        # Each request has a task of its own, so what is bound here ends with it.
        enter_context({"request_id": request_id})
        added = [*self._fixed, (b"x-request-id", request_id.encode())]

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", scope["state"].get("policy", NOTHING))
                message = {**message, "headers": [*_allowed(message), *added, policy]}
            await send(message)

        await self._app(scope, receive, sending)


def _allowed(start: Any) -> Iterable[tuple[bytes, bytes]]:
    """A response's headers, without those that describe a body if it has none: a 204 must have no Content-Length (RFC 9110 8.6)."""
    headers: Iterable[tuple[bytes, bytes]] = start["headers"]
    if start["status"] != NO_CONTENT:
        return headers
    return [header for header in headers if header[0].lower() not in OF_A_BODY]


def chosen_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The caller's X-Request-Id if it is one and harmless in a log line, else a new one."""
    given = [value for name, value in headers if name == b"x-request-id"]
    if len(given) == 1 and re.fullmatch(rb"[A-Za-z0-9-]{1,64}", given[0]):
        return given[0].decode()
    # An identity, not a secret; eight times as quick as one.
    return f"{random.getrandbits(128):032x}"
