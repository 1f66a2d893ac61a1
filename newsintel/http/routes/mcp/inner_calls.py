"""Calls of our own routes inside the process, for doors that speak another protocol.

Such a call takes the way of every request, from the hit path on: the same reader of parameters, the
same caches, preferences and history. The request that caused it was identified and counted already.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import trio
from attrs import define, frozen

from newsintel.domain.accounts.model import Caller
from newsintel.http.asgi import Asgi, Scope


@frozen
class InnerAnswer:
    """The answer of a route: its status, and its body as JSON."""

    status: int
    body: dict[str, Any]


@define
class InnerCalls:
    """Calls routes. `connect` must be called first, because routes are made before the application.

    Attributes:
        app: the hit path and what lies behind it.
    """

    _app: Asgi | None = None

    def connect(self, app: Asgi) -> None:
        """Set the application."""
        self._app = app

    async def get(
        self, path: str, query: Mapping[str, str], caller: Caller, request_id: str
    ) -> InnerAnswer:
        """Answer a GET.

        Args:
            path: of the route, not encoded.
            query: the parameters, not encoded.
            caller: for whom it is answered.
            request_id: the id of the request that caused this call.
        """
        if self._app is None:
            raise AssertionError("inner calls are not connected")
        received = _Received()
        scope = _build_scope(path, query, caller, request_id)
        await self._app(scope, _EmptyBody().receive, received.send)
        return InnerAnswer(received.status, json.loads(bytes(received.body)))


class _EmptyBody:
    """The body of a GET: nothing, and then a client that waits for its answer."""

    def __init__(self) -> None:
        self._sent = False

    async def receive(self) -> dict[str, Any]:
        if self._sent:
            await trio.sleep_forever()
        self._sent = True
        return {"type": "http.request", "body": b"", "more_body": False}


class _Received:
    """Collects an answer. Our JSON bodies have at most some 100 stories."""

    def __init__(self) -> None:
        self.status = 0
        self.body = bytearray()

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message.get("body", b"")


def _build_scope(path: str, query: Mapping[str, str], caller: Caller, request_id: str) -> Scope:
    return {
        "type": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": urlencode(query).encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": None,
        "server": None,
        "extensions": {},
        "state": {"caller": caller, "request_id": request_id},
    }
