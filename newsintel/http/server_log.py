"""The server's log: what went wrong in the application, and one line for each request."""

import logging
from typing import Any

import structlog

from newsintel.errors import leaves
from newsintel.ports import Observe

log = structlog.get_logger("newsintel.http.server")
access_log = logging.getLogger("newsintel.http.access")

MOST_CAUSES = 5
"""Causes of one failure that are logged, however many groups hold them."""


class ServerLog:
    """Of each request its duration and one line, without query, address or header of the caller; of each failure its causes."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe

    def request_ended(self, scope: Any, status: int | None, duration_s: float) -> None:
        """Measure and log one request, whichever part of the application answered it.

        Args:
            scope: its ASGI scope. The part that knew the route left it in `state`. The raw path is still percent-encoded, so it cannot
                forge a line.
            status: None if the client left before the whole answer was sent.
            duration_s: from its head to the last byte of its answer.
        """
        route, kind = scope["state"].get("route", "other"), f"{status // 100}xx" if status else "none"
        self._observe("http_request_seconds", duration_s, route=route, status=kind)
        if access_log.isEnabledFor(logging.INFO):
            path = scope["raw_path"].decode("ascii", "replace")
            access_log.info("%s %s %s %.1f ms", scope["method"], path, status or "-", duration_s * 1000)

    def failed(self, event: str, error: BaseException) -> None:
        """Log an error of ours by its causes, at any depth of groups; the first with its traceback."""
        causes = leaves(error)
        log.error(event, causes=[repr(cause) for cause in causes[:MOST_CAUSES]], exc_info=causes[0])
