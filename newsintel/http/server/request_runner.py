"""Runs the application for the requests of a connection, and measures their responses."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from hypercorn.config import Config

from newsintel.domain.tracing import enter_span
from newsintel.http.asgi import Asgi
from newsintel.http.server.inbox import Inbox, Message
from newsintel.http.server.log import ServerLog


class RequestRunner:
    """Runs the application for a connection's requests, in the connection's nursery.

    Hypercorn calls this object a task group.
    """

    def __init__(self, nursery: trio.Nursery, app: Asgi, log: ServerLog) -> None:
        self._nursery = nursery
        self._app = app
        self._log = log

    async def spawn_app(
        self, _app: object, _config: Config, scope: Any, send: Callable[[Any], Awaitable[None]]
    ) -> Callable[[Message], Awaitable[None]]:
        """Start the application on a request. Returns the function that receives the body."""
        inbox = Inbox()
        self._nursery.start_soon(self._run_app, scope, inbox, send)
        return inbox.put

    async def _run_app(
        self, scope: Any, inbox: Inbox, send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Run the application for one request.

        Its error ends only this request: with a 500, or, if the response has begun, by cutting it.
        """
        started, answer = time.perf_counter(), ResponseProgress(send)
        span = self._log.begin_span(scope)
        enter_span(span)
        try:
            await self._app(scope, inbox.receive, answer.send)
        except* Exception as failure:  # noqa: BLE001  # one error must not end other requests
            self._log.log_app_failure(failure)
        finally:
            inbox.end()
            status = answer.status if answer.complete else None
            took_s = time.perf_counter() - started
            self._log.log_request(scope, status, answer.body_bytes, took_s, span)
        await send(None)


class ResponseProgress:
    """The progress of a response.

    It is complete when the last byte was passed to the system, even if the client leaves then.
    """

    def __init__(self, send: Callable[[Any], Awaitable[None]]) -> None:
        self._send = send
        self.status = 0
        self.complete = False
        self.body_bytes = 0

    async def send(self, message: Any) -> None:
        """Send one message of the application."""
        await self._send(message)
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
        else:
            self.body_bytes += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
