"""The server's log: what goes wrong on a connection, and one line for each request."""

import logging
from typing import Any

from hypercorn.config import Config
from hypercorn.logging import Logger

from newsintel.ports import Observe

access_log = logging.getLogger("newsintel.http.access")


class ServerLog(Logger):
    """Hypercorn's log: what goes wrong, and of each request its duration and one line without query, address or header of the caller.

    Its own access line would copy the whole environment for each request. Here every request ends, whoever answered it.
    """

    def __init__(self, config: Config, *, observe: Observe) -> None:
        super().__init__(config)
        self._observe = observe

    async def info(self, message: str, *args: Any, **kwargs: Any) -> None:
        """Say nothing: hypercorn tells only where it listens, which whoever started us learns from `serve`."""

    async def access(self, request: Any, response: Any, request_time: float) -> None:
        """Measure and log one request.

        Args:
            request: its ASGI scope. Whoever knew the route left it in `state`. The raw path is still percent-encoded, so it cannot forge
                a line.
            response: None if the client left before it.
            request_time: in seconds.
        """
        route, kind = request["state"].get("route", "other"), f"{response['status'] // 100}xx" if response else "none"
        # Hypercorn measures by the wall clock, which may go back.
        self._observe("http_request_seconds", max(0.0, request_time), route=route, status=kind)
        if access_log.isEnabledFor(logging.INFO):
            path = request["raw_path"].decode("ascii", "replace")
            status = response["status"] if response else "-"
            access_log.info("%s %s %s %.1f ms", request.get("method", "GET"), path, status, request_time * 1000)
