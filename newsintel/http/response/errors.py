"""Turns whatever a route raises into one answer, and leaves no exception unlogged.

Quart-Trio picks one exception out of a group and forgets the others, so a bug beside a foreseen failure would vanish. `settled` is a view
decorator because only there is the group still whole.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from math import ceil

from quart import Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from newsintel.errors import (
    AccountGoneError,
    ArchiveTimeoutError,
    BusyError,
    DeniedError,
    FlightBugError,
    InvalidBodyError,
    InvalidParameterError,
    NewsIntelError,
    OverloadedError,
    PoisonedBatchError,
    RateLimitedError,
    SignInUnavailableError,
    UnavailableError,
)
from newsintel.http.request.access import CHALLENGE
from newsintel.http.response.problems import PROBLEMS, RETRY_AFTER_S, respond
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

View = Callable[..., Awaitable[Response]]

_FRAMEWORK = {
    400: "invalid_body",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    500: "internal",
}
"""The code for each status that the framework answers by itself."""

_OURS: tuple[tuple[type[NewsIntelError], str], ...] = (
    (InvalidBodyError, "invalid_body"),
    (PoisonedBatchError, "invalid_body"),  # a value that the kinds let pass and PostgreSQL does not
    (AccountGoneError, "unauthenticated"),
    (InvalidParameterError, "invalid_parameter"),
    (SignInUnavailableError, "not_ready"),
    (RateLimitedError, "rate_limited"),
    (OverloadedError, "busy"),
    (BusyError, "busy"),
    (UnavailableError, "archive_timeout"),
    (FlightBugError, "internal"),
)
"""The code for each exception of ours; the first class that fits decides."""

TOO_WIDE = "This query takes the archive too long. Narrow it: fewer alternatives, rarer words, a shorter time between `from` and `to`."


def settled(view: View) -> View:
    """A view that answers every exception, groups included, with a problem.

    What is no `Exception` (trio's Cancelled, KeyboardInterrupt) goes on its way once the rest is logged: nobody is there to be answered.
    """

    @wraps(view)
    async def answering(**path: str) -> Response:
        try:
            return await view(**path)
        except Exception as error:  # noqa: BLE001 - the last resort of every route: a bug becomes a logged 500
            return settle(error)
        except BaseExceptionGroup as group:
            passing, rest = group.split(lambda leaf: not isinstance(leaf, Exception | BaseExceptionGroup))
            for leaf in _leaves(rest) if rest else ():
                _log(leaf)
            raise passing or group from None

    return answering


async def settle_framework(error: HTTPException) -> Response:
    """Answer what the framework raised outside any view: no such address, no such method, a bug of its own."""
    return settle(error)


def settle(error: BaseException) -> Response:
    """Log every leaf of an exception and answer them all: with their problem if they agree on one, else with a 500."""
    leaves = list(_leaves(error))
    codes = {_code(leaf) for leaf in leaves}
    code = codes.pop() if len(codes) == 1 else None
    for leaf in leaves:
        _log(leaf, answered=code is not None)
    if code is None:
        return respond("internal", PROBLEMS["internal"].meaning)
    wrong = [leaf for leaf in leaves if isinstance(leaf, InvalidParameterError)]
    detail = "; ".join(one.message for one in wrong) or _detail(leaves[0], code)
    return respond(code, detail, errors=wrong, headers=_headers(leaves[0], code))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _code(error: BaseException) -> str | None:
    """The problem that an exception stands for; None for a bug."""
    if isinstance(error, HTTPException):
        return _FRAMEWORK.get(error.code or 500)
    if isinstance(error, DeniedError):
        return error.code
    return next((code for kind, code in _OURS if isinstance(error, kind)), None)


def _log(error: BaseException, *, answered: bool = True) -> None:
    """A bug with its traceback; the rest in one line. A store's outage is told once, by the store, so what it costs each request is info.

    Args:
        error: a leaf.
        answered: whether its own problem is the answer; where it is not, the answer is a 500 that only the log can explain.
    """
    code = _code(error)
    if code is None:
        log.error("request_bug", path=request.path, exc_info=error)
    elif isinstance(error, FlightBugError):
        log.error("request_failed", code=code, incident_id=error.incident_id)
    elif not answered:
        log.error("request_failed", code=code, kind=type(error).__name__, reason=str(error))
    elif isinstance(error, DeniedError):
        log.warning("request_denied", code=code, reason=str(error))
    elif isinstance(error, PoisonedBatchError):
        log.warning("request_failed", code=code, kind=type(error).__name__, reason=str(error))
    elif isinstance(error, UnavailableError | OverloadedError):
        log.info("request_failed", code=code, kind=type(error).__name__, reason=str(error))
    else:
        log.debug("request_refused", code=code, kind=type(error).__name__, reason=str(error))


def _detail(error: BaseException, code: str) -> str:
    """One sentence for the caller. Most of our own exceptions speak to the operator, so their text stays in the log."""
    if isinstance(error, ArchiveTimeoutError):
        return TOO_WIDE
    if isinstance(error, DeniedError | SignInUnavailableError):
        return str(error)
    return (isinstance(error, HTTPException) and error.description) or PROBLEMS[code].meaning


def _headers(error: BaseException, code: str) -> dict[str, str]:
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(sorted(error.valid_methods or ()))}
    if isinstance(error, DeniedError) and error.challenge:
        return {"WWW-Authenticate": error.challenge}
    if isinstance(error, AccountGoneError):
        return {"WWW-Authenticate": CHALLENGE}
    wait_s = getattr(error, "retry_after_s", None) or RETRY_AFTER_S
    return {"Retry-After": str(ceil(wait_s))} if PROBLEMS[code].status in (429, 503) else {}
