"""Refuses requests for host names that are not ours with a 421.

A foreign Host means DNS rebinding or a poisoned link. X-Forwarded-Host and Forwarded are never
read: a load balancer forwards what the client wrote there.
"""

import re
from functools import lru_cache
from urllib.parse import urlsplit

from newsintel.config.settings import Settings
from newsintel.http.asgi import Asgi, Receive, Scope, Send
from newsintel.http.paths import HEALTH, READY
from newsintel.http.response.problems import PROBLEMS, send_problem

ANY_HOST_PATHS = frozenset({HEALTH, READY})
"""Paths that load balancers probe by IP address, so their Host is not checked."""

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+?)\.?(:[0-9]{0,5})?")
"""RFC 9110 7.2: uri-host and optional port, without userinfo. A trailing dot changes nothing."""


def list_allowed_hosts(settings: Settings) -> frozenset[str]:
    """Return every host name served, in lower case.

    Names have no port, because a load balancer or a container may use another one.
    """
    names = [urlsplit(settings.public_url).netloc, *settings.allowed_hosts]
    if settings.bind.is_loopback:
        names += ["localhost", "127.0.0.1", "[::1]"]
    return frozenset(filter(None, map(parse_host, names)))


# Cached: the same few values come with every request.
@lru_cache(maxsize=64)
def parse_host(authority: str) -> str | None:
    """Return the host of `host:port`, in lower case; None if the text is malformed."""
    match = _AUTHORITY.fullmatch(authority)
    return match[1].lower() if match else None


class HostCheck:
    """ASGI middleware: refuses requests for other hosts."""

    def __init__(self, app: Asgi, settings: Settings) -> None:
        self._app = app
        self._allowed = list_allowed_hosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 421 (404 for a target that is not a path, such as `*`)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        authority, path = _parse_target(scope)
        if not path.startswith("/"):
            await send_problem(scope, send, "not_found", "The request's target is not a path.")
        elif self._is_served(authority, path):
            scope["path"] = path
            await self._app(scope, receive, send)
        else:
            await send_problem(scope, send, "wrong_host", PROBLEMS["wrong_host"].meaning)

    def admits(self, scope: Scope) -> bool:
        """Whether a request passes this check unchanged: its target is a path, its Host is ours."""
        return scope["path"].startswith("/") and self._is_served(*_parse_target(scope))

    def _is_served(self, authority: str, path: str) -> bool:
        return path in ANY_HOST_PATHS or parse_host(authority) in self._allowed


def fix_host_header(app: Asgi) -> Asgi:
    """Wrap the framework in ASGI middleware that gives every request the Host `localhost`.

    The framework binds its router to the Host header and fails on names such as `a..b`. HostCheck
    has checked the real Host before, where it matters. No response depends on it: our URLs start
    with PUBLIC_URL.
    """

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [
                *(header for header in scope["headers"] if header[0].lower() != b"host"),
                (b"host", b"localhost"),
            ]
        await app(scope, receive, send)

    return named


def _parse_target(scope: Scope) -> tuple[str, str]:
    """Return the request's authority and path.

    In the absolute form, `GET http://host/path`, the Host header is ignored (RFC 9112 3.2.2).
    """
    path = scope["path"]
    if path[:1] != "/" and path.lower().startswith(("http://", "https://")):
        authority, slash, rest = path.partition("://")[2].partition("/")
        return authority, "/" + rest if slash else "/"
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return hosts[0].decode("latin-1") if len(hosts) == 1 else "", path
