"""The server's log: errors of the application, and one line per request."""

import logging
from typing import Any

from newsintel.domain.accounts.model import Access, Caller
from newsintel.domain.ports import Observe
from newsintel.domain.tracing import BeginRequest, Span, begin_no_request
from newsintel.errors import UnavailableError, flatten_errors
from newsintel.http.paths import hide_secret_address
from newsintel.http.server.request_span import describe_request
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

MAX_CAUSES = 5
"""Causes that are logged per failure, from all nested exception groups together."""

MAX_PATH_CHARS = 2_000
"""Characters of a path that a log line shows. Our paths have at most 60; a client can send 16,000.
The redactor searches all that a line shows."""


class ServerLog:
    """Measures, logs and traces each request, and logs the causes of each failure.

    A request's line has no query, no address and no header of the caller; nor has its span.
    """

    def __init__(
        self, observe: Observe, begin_span: BeginRequest = begin_no_request, scheme: str = "http"
    ) -> None:
        self._observe = observe
        self._begin_span = begin_span
        self._scheme = scheme
        self._log = log.bind()  # finds the logger once, not for each request

    def begin_span(self, scope: Any) -> Span:
        """Begin the span of a request for which other steps are done. `log_request` ends it."""
        return self._begin_span(scope["method"], scope["headers"])

    def log_request(
        self,
        scope: Any,
        status: int | None,
        body_bytes: int,
        duration_s: float,
        span: Span | None = None,
    ) -> None:
        """Measure, log and trace one request. The arguments are those of `build_access_fields`.

        `span` is what `begin_span` returned; None = it was not called.
        """
        route, kind = (
            scope["state"].get("route", "other"),
            f"{status // 100}xx" if status else "none",
        )
        self._observe("http_request_seconds", duration_s, route=route, status=kind)
        if span is None:
            span = self._begin_span(scope["method"], scope["headers"], duration_s)
        is_logged = self._log.isEnabledFor(logging.INFO)
        if is_logged or span.is_recording:
            fields = build_access_fields(scope, status, body_bytes, duration_s)
            if is_logged:
                self._log.info("request", **fields)
            if span.is_recording:
                describe_request(span, fields, self._scheme)
                span.end()

    def log_refusal(self, code: str, request_id: str) -> None:
        """Log a problem that the server itself answered, before or instead of the application."""
        self._log.info("request_refused", problem=code, request_id=request_id)

    def log_app_failure(self, error: BaseException) -> None:
        """Log an error that ended one request.

        A store that fails in the middle of a long response, such as an export, is not a bug.
        """
        causes = flatten_errors(error)
        if all(isinstance(cause, UnavailableError) for cause in causes):
            self._log.warning("response_cut", reason=str(causes[0]))
        else:
            self._log.error("application_failed", **_describe_causes(error))

    def log_connection_failure(self, error: BaseException) -> None:
        """Log an error that ended one connection."""
        self._log.error("connection_failed", **_describe_causes(error))


def _describe_causes(error: BaseException) -> dict[str, Any]:
    """Return the causes of an error, from nested groups too; only the first has a traceback."""
    causes = flatten_errors(error)
    return {"causes": [repr(cause) for cause in causes[:MAX_CAUSES]], "exc_info": causes[0]}


def build_access_fields(
    scope: Any, status: int | None, body_bytes: int, duration_s: float
) -> dict[str, Any]:
    """Return the fields of a request's log line.

    Args:
        scope: the ASGI scope; the application stored what it knows of the request in `state`. The
            raw path is still percent-encoded, so it cannot forge a line. The query is private
            and is not logged.
        status: of the response; None if the client left before the whole response was sent.
        body_bytes: bytes of the response's body that were passed to the system.
        duration_s: from the request's head to the last byte of the response.

    Returns:
        `client` says how the caller identified itself. `problem` is the code of the problem
        document, if the response was one.
    """
    state = scope["state"]
    fields = {
        "method": scope.get("method", "GET"),
        "path": _shorten_path(scope["raw_path"].decode("ascii", "replace")),
        "route": state.get("route", "other"),
        "status": status,
        "ms": round(duration_s * 1000, 1),
        "bytes": body_bytes,
        "client": _describe_client(state.get("caller")),
        "request_id": state.get("request_id"),
    }
    return fields | ({"problem": state["problem"]} if "problem" in state else {})


def _shorten_path(path: str) -> str:
    """Return a path as the log shows it, without the secret of an address.

    A path that is too long is cut between two segments: the redactor would not recognize the first
    half of a secret.
    """
    path = hide_secret_address(path)
    return (
        path if len(path) <= MAX_PATH_CHARS else f"{path[:MAX_PATH_CHARS].rpartition('/')[0]}/..."
    )


def _describe_client(caller: Caller | None) -> str:
    """Return how the caller identified itself: `session`, `key` or `anonymous`.

    A caller whose key or session was not accepted has the value of its doubt, such as `bad_key`.
    The result is `-` if the caller was not identified.
    """
    if caller is None:
        return "-"
    if caller.access is not None:
        return "session" if caller.access is Access.SESSION else "key"
    return caller.doubt.value if caller.doubt else "anonymous"
