"""Lets pages of the origins in CORS_ORIGINS read our responses (Fetch, 3.2).

Cookies are never allowed: such a page sends a key, or is anonymous.
"""

from collections.abc import Sequence
from typing import Any

from newsintel.http.asgi import Asgi, HeaderLines, Receive, Scope, Send

PREFLIGHT_MAX_AGE_S = 600
ALLOWED_HEADERS = (
    b"Authorization, Content-Type, Last-Event-ID, X-Api-Key, X-Request-Id, "
    b"MCP-Protocol-Version, Mcp-Method, Mcp-Name"
)
PREFLIGHT_HEADERS = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", ALLOWED_HEADERS),
    (b"access-control-max-age", str(PREFLIGHT_MAX_AGE_S).encode()),
)
EXPOSED = (
    b"Age, Cache-Status, ETag, Link, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, "
    b"X-Request-Id"
)
EXPOSE_HEADERS = (b"access-control-expose-headers", EXPOSED)


class Cors:
    """ASGI middleware, outside of all that refuse requests, so that a page can read the reason."""

    def __init__(self, app: Asgi, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        origin = headers.get(b"origin")
        asks = scope["method"] == "OPTIONS" and b"access-control-request-method" in headers
        if asks and origin is not None and origin in self._origins:
            added = [_allow(origin), *PREFLIGHT_HEADERS, (b"vary", b"Origin")]
            await send({"type": "http.response.start", "status": 204, "headers": added})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self.add_headers(message["headers"], origin)}
            await send(message)

        await self._app(scope, receive, sending)

    def add_headers(self, lines: HeaderLines, origin: bytes | None) -> HeaderLines:
        """Return a response's header lines with those for the page that asks.

        Args:
            lines: the response's own.
            origin: the request's Origin header; None = it has none.
        """
        lines = _add_vary(lines)
        if origin is None or origin not in self._origins:
            return lines
        return [*lines, _allow(origin), EXPOSE_HEADERS]


def _allow(origin: bytes) -> tuple[bytes, bytes]:
    return b"access-control-allow-origin", origin


def _add_vary(headers: HeaderLines) -> HeaderLines:
    """Return the headers with a Vary that names Origin."""
    said = any(name.lower() == b"vary" and b"origin" in value.lower() for name, value in headers)
    return [*headers, *([] if said else [(b"vary", b"Origin")])]
