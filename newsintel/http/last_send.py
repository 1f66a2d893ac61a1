"""Carries the framework's last send through to its end.

Hypercorn closes a connection from within the last send, and tells the app first, which makes Quart-Trio cancel the request's task:
unshielded, that cancel hits the closing itself and leaves the connection open until the client goes. TCP_USER_TIMEOUT bounds the send.
"""

from typing import Any

import trio

from newsintel.http.envelope import Asgi, Receive, Scope, Send


class LastSend:
    """ASGI middleware right round the framework; what answers before it has no task that could be cancelled so."""

    def __init__(self, app: Asgi) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def sending(message: Any) -> None:
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            with trio.CancelScope(shield=last):
                await send(message)

        await self._app(scope, receive, sending)
