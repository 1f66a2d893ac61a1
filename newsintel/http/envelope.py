"""What every response carries, whoever made it: an id to find it by, and headers that keep browsers careful."""

import random
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from newsintel.logs import enter_context
from newsintel.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Any, Any, Any], Awaitable[None]]

SECURITY = (
    # OWASP ASVS 5.0, 3.4.4, 3.4.3 + 3.4.6, 3.4.5: bytes stay the type we said, nothing is loaded or framed, no address leaks onward.
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
NO_CONTENT = 204
OF_A_BODY = frozenset({b"content-length", b"content-type"})
"""What a 204 must not have, for it has no body."""
# ASVS 3.4.1 asks for a year at least. Not for subdomains: they may be someone else's.
HSTS = (b"strict-transport-security", b"max-age=31536000")


class Envelope:
    """ASGI middleware round everything else. Leaves the id in `scope["state"]["request_id"]` and in every log line of the request.

    Counts the bytes of the body in `scope["state"]["bytes"]`, for the line of the request.
    """

    def __init__(self, app: Asgi, settings: Settings) -> None:
        self._app = app
        self._fixed = (*SECURITY, *((HSTS,) if settings.public_url.startswith("https://") else ()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a WebSocket is refused, for no route speaks it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id, state = chosen_id(scope["headers"]), scope.setdefault("state", {})
        state["request_id"], state["bytes"] = request_id, 0
        # Each request has a task of its own, so what is bound here ends with it.
        enter_context({"request_id": request_id})
        added = [*self._fixed, (b"x-request-id", request_id.encode())]

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*_allowed(message), *added]}
            else:
                state["bytes"] += len(message.get("body", b""))
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
