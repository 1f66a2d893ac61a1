"""The server's log: what went wrong in the application, and one line for each request."""

import logging
from typing import Any

from newsintel.domain.accounts.model import Access, Caller
from newsintel.domain.ports import Observe
from newsintel.errors import leaves
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

MOST_CAUSES = 5
"""Causes of one failure that are logged, however many groups hold them."""

LONGEST_PATH = 2_000
"""Characters of a path that a line repeats. Ours have at most 60; one that somebody makes up may have 16,000; all are looked through."""


class ServerLog:
    """Of each request its duration and one line, without query, address or header of the caller; of each failure its causes."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe
        self._log = log.bind()  # finds the logger once, not for each request

    def request_ended(self, scope: Any, status: int | None, body_bytes: int, duration_s: float) -> None:
        """Measure and log one request, whichever part of the application answered it.

        Args:
            scope: its ASGI scope. Those who served it left what they knew of it in `state`.
            status: None if the client left before the whole answer was sent.
            body_bytes: those of the answer's body that were handed to the system.
            duration_s: from its head to the last byte of its answer.
        """
        route, kind = scope["state"].get("route", "other"), f"{status // 100}xx" if status else "none"
        self._observe("http_request_seconds", duration_s, route=route, status=kind)
        if self._log.isEnabledFor(logging.INFO):
            self._log.info("request", **access_fields(scope, status, body_bytes, duration_s))

    def request_refused(self, code: str, request_id: str) -> None:
        """Log bytes that were answered with a problem before, or in place of, an answer of the application."""
        self._log.info("request_refused", problem=code, request_id=request_id)

    def application_failed(self, error: BaseException) -> None:
        """Log an error that ended one request."""
        self._log.error("application_failed", **_causes(error))

    def connection_failed(self, error: BaseException) -> None:
        """Log an error that ended one connection."""
        self._log.error("connection_failed", **_causes(error))


def _causes(error: BaseException) -> dict[str, Any]:
    """The causes of an error, at any depth of groups; the first with its traceback."""
    causes = leaves(error)
    return {"causes": [repr(cause) for cause in causes[:MOST_CAUSES]], "exc_info": causes[0]}


def access_fields(scope: Any, status: int | None, body_bytes: int, duration_s: float) -> dict[str, Any]:
    """What a request's line tells of it.

    Args:
        scope: its ASGI scope. The raw path is still percent-encoded, so that it cannot forge a line; the query is nobody's business.
        status: of the answer; None if the client left before the whole of it was sent.
        body_bytes: those of the answer's body that were handed to the system.
        duration_s: from the request's head to the last byte of the answer.

    Returns:
        `client` is how the caller identified itself, `problem` the code of the problem document, if that was the answer.
    """
    state = scope["state"]
    fields = {
        "method": scope.get("method", "GET"),
        "path": _shown(scope["raw_path"].decode("ascii", "replace")),
        "route": state.get("route", "other"),
        "status": status,
        "ms": round(duration_s * 1000, 1),
        "bytes": body_bytes,
        "client": _client(state.get("caller")),
        "request_id": state.get("request_id"),
    }
    return fields | ({"problem": state["problem"]} if "problem" in state else {})


def _shown(path: str) -> str:
    """A path as a line has it. Of a longer one whole parts alone: of a secret that is cut in two nobody would know the beginning."""
    return path if len(path) <= LONGEST_PATH else f"{path[:LONGEST_PATH].rpartition('/')[0]}/..."


def _client(caller: Caller | None) -> str:
    """`session`, `key` or `anonymous`; `bad_key` and `unknown` for an anonymous caller who meant to be somebody; `-` if nobody looked."""
    if caller is None:
        return "-"
    if caller.access is not None:
        return "session" if caller.access is Access.SESSION else "key"
    return caller.doubt.value if caller.doubt else "anonymous"
