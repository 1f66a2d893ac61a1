"""The server's log: what goes wrong on a connection, and one line for each request."""

import logging
from typing import Any

from hypercorn.config import Config
from hypercorn.logging import Logger

from newsintel.account_model import Access, Caller
from newsintel.logs import get_logger
from newsintel.ports import Observe

log = get_logger(__name__)


class ServerLog(Logger):
    """Hypercorn's log: what goes wrong, and of each request its duration and one line without query, address or header of the caller.

    Its own access line would copy the whole environment for each request. Here every request ends, whoever answered it.
    """

    def __init__(self, config: Config, *, observe: Observe) -> None:
        super().__init__(config)
        self._observe = observe
        self._log = log.bind()  # finds the logger once, not for each request

    async def info(self, message: str, *args: Any, **kwargs: Any) -> None:
        """Say nothing: hypercorn tells only where it listens, which whoever started us learns from `serve`."""

    async def access(self, request: Any, response: Any, request_time: float) -> None:
        """Measure and log one request.

        Args:
            request: its ASGI scope. Those who served it left what they knew of it in `state`.
            response: None if the client left before it.
            request_time: in seconds.
        """
        status = response["status"] if response else None
        # Hypercorn measures by the wall clock, which may go back.
        took_s = max(0.0, request_time)
        state = request["state"]
        self._observe("http_request_seconds", took_s, route=state.get("route", "other"), status=f"{status // 100}xx" if status else "none")
        if self._log.isEnabledFor(logging.INFO):
            self._log.info("request", **access_fields(request, status, took_s))


def access_fields(request: Any, status: int | None, took_s: float) -> dict[str, Any]:
    """What a request's line tells of it.

    Args:
        request: its ASGI scope. The raw path is still percent-encoded, so that it cannot forge a line; the query is nobody's business.
        status: of the answer; None if the client left before it.
        took_s: from the request's head to the last byte of the answer.

    Returns:
        `bytes` are those of the body that were handed to the server, `client` how the caller identified itself, `problem` the code of the
        problem document, if that was the answer.
    """
    state = request["state"]
    fields = {
        "method": request.get("method", "GET"),
        "path": request["raw_path"].decode("ascii", "replace"),
        "route": state.get("route", "other"),
        "status": status,
        "ms": round(took_s * 1000, 1),
        "bytes": state.get("bytes", 0),
        "client": _client(state.get("caller")),
        "request_id": state.get("request_id"),
    }
    return fields | ({"problem": state["problem"]} if "problem" in state else {})


def _client(caller: Caller | None) -> str:
    """`session`, `key` or `anonymous`; `bad_key` and `unknown` for an anonymous caller who meant to be somebody; `-` if nobody looked."""
    if caller is None:
        return "-"
    if caller.access is not None:
        return "session" if caller.access is Access.SESSION else "key"
    return caller.doubt.value if caller.doubt else "anonymous"
