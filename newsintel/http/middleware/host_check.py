"""Answers only to its own names: a foreign Host is DNS rebinding or a poisoned link, and gets a 421.

X-Forwarded-Host and Forwarded are never read: a balancer passes on what the client wrote there.
"""

import re
from functools import lru_cache
from urllib.parse import urlsplit

from newsintel.config.settings import Settings
from newsintel.http.asgi import Asgi, Receive, Scope, Send
from newsintel.http.paths import HEALTH, READY
from newsintel.http.response.problems import PROBLEMS, refuse

ANY_HOST = frozenset({HEALTH, READY})
"""Balancers probe these by address."""

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+?)\.?(:[0-9]{0,5})?")
"""RFC 9110 7.2: uri-host and optional port, without userinfo; one trailing dot names the same host."""


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """Every host name served, in lower case and without port: the port is the balancer's or the container's business."""
    names = [urlsplit(settings.public_url).netloc, *settings.allowed_hosts]
    if settings.bind.loopback:
        names += ["localhost", "127.0.0.1", "[::1]"]
    return frozenset(filter(None, map(host_of, names)))


# The same few come with every request.
@lru_cache(maxsize=64)
def host_of(authority: str) -> str | None:
    """The host in `host:port`, in lower case; None if it is malformed."""
    match = _AUTHORITY.fullmatch(authority)
    return match[1].lower() if match else None


class HostCheck:
    """ASGI middleware: requests for other hosts end here."""

    def __init__(self, app: Asgi, settings: Settings) -> None:
        self._app = app
        self._allowed = allowed_hosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 421 (404 for a target that names no path, such as `*`)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        authority, path = _target(scope)
        if not path.startswith("/"):
            await refuse(scope, send, "not_found", "The request's target is not a path.")
        elif path in ANY_HOST or host_of(authority) in self._allowed:
            scope["path"] = path
            await self._app(scope, receive, send)
        else:
            await refuse(scope, send, "wrong_host", PROBLEMS["wrong_host"].meaning)


def under_one_name(app: Asgi) -> Asgi:
    """ASGI middleware round the framework, which binds its router to the Host header and fails on names such as `a..b`.

    Who is asked has been checked by then, or does not matter. No answer depends on it: our addresses are made of PUBLIC_URL.
    """

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [*(header for header in scope["headers"] if header[0].lower() != b"host"), (b"host", b"localhost")]
        await app(scope, receive, send)

    return named


def _target(scope: Scope) -> tuple[str, str]:
    """The request's authority and path. In the absolute form, `GET http://host/path`, the Host header does not count (RFC 9112 3.2.2)."""
    path = scope["path"]
    if path[:1] != "/" and path.lower().startswith(("http://", "https://")):
        authority, slash, rest = path.partition("://")[2].partition("/")
        return authority, "/" + rest if slash else "/"
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return hosts[0].decode("latin-1") if len(hosts) == 1 else "", path
