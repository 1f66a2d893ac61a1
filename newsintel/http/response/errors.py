"""Turns every exception of a route into one response, and logs all of them.

Quart-Trio picks one exception from a group and drops the others, so a bug next to an expected
failure would be lost. `handle_errors` is a view decorator because only a decorator sees the whole
group.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import wraps
from math import ceil

from attrs import field, frozen
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
    MetricsUnavailableError,
    NewsIntelError,
    OverloadedError,
    PoisonedBatchError,
    RateLimitedError,
    SignInUnavailableError,
    UnavailableError,
)
from newsintel.http.request.access import CHALLENGE
from newsintel.http.response.problems import (
    PROBLEMS,
    RETRIED_STATUSES,
    RETRY_AFTER_S,
    answer_problem,
)
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

QuartView = Callable[..., Awaitable[Response]]
Respond = Callable[[BaseException], Response]

_FRAMEWORK_CODES = {
    400: "invalid_body",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    500: "internal",
}
"""The code for each status of the framework's own errors."""

_ERROR_CODES: tuple[tuple[type[NewsIntelError], str], ...] = (
    (InvalidBodyError, "invalid_body"),
    (PoisonedBatchError, "invalid_body"),  # a value that our kinds accept and PostgreSQL refuses
    (AccountGoneError, "unauthenticated"),
    (InvalidParameterError, "invalid_parameter"),
    (SignInUnavailableError, "not_ready"),
    (RateLimitedError, "rate_limited"),
    (OverloadedError, "busy"),
    (BusyError, "busy"),
    (MetricsUnavailableError, "busy"),
    (UnavailableError, "archive_timeout"),
    (FlightBugError, "internal"),
)
"""The code for each of our exceptions; the first class that matches decides."""

TOO_WIDE = (
    "The archive could not answer this query in time. Narrow the query: fewer alternatives, rarer "
    "words, a shorter time between `from` and `to`."
)


def handle_errors(view: QuartView, respond: Respond | None = None) -> QuartView:
    """Wrap a view so that it answers every exception, groups included, with a problem.

    `respond` makes the response; None = `respond_to_error`.

    A BaseException that is not an `Exception` (trio's Cancelled, KeyboardInterrupt) propagates
    after the others are logged: no client waits for a response then.
    """

    @wraps(view)
    async def answering(**path: str) -> Response:
        try:
            return await view(**path)
        except Exception as error:  # noqa: BLE001 - a bug in a route becomes a logged 500
            return (respond or respond_to_error)(error)
        except BaseExceptionGroup as group:
            passing, rest = group.split(
                lambda leaf: not isinstance(leaf, Exception | BaseExceptionGroup)
            )
            for leaf in _iterate_leaves(rest) if rest else ():
                _log_error(leaf, request.path)
            raise passing or group from None

    return answering


async def respond_to_framework_error(error: HTTPException) -> Response:
    """Answer an error that the framework raised outside a view, such as an unknown path.

    The framework keeps such an error in the request, and the request is in the error's traceback: a
    cycle, with the whole connection in it. The collector does not find old cycles
    (`lifecycle.configure_gc`).
    """
    request.routing_exception = None
    return respond_to_error(error)


@frozen
class DescribedError:
    """What the caller is told about an exception.

    Attributes:
        code: a key of PROBLEMS.
        detail: one sentence.
        errors: the invalid parameters.
        headers: of the response.
    """

    code: str
    detail: str
    errors: Sequence[InvalidParameterError] = ()
    headers: Mapping[str, str] = field(factory=dict)


def respond_to_error(error: BaseException) -> Response:
    """Log every leaf of an exception and return one response."""
    told = describe_error(error, request.path)
    return answer_problem(told.code, told.detail, errors=told.errors, headers=told.headers)


def describe_error(error: BaseException, path: str) -> DescribedError:
    """Log every leaf of an exception and describe it to the caller.

    The description is that of their common problem; if they have different problems, it is
    `internal`.

    Args:
        error: an exception of a route.
        path: of the request.
    """
    leaves = list(_iterate_leaves(error))
    codes = {_find_code(leaf) for leaf in leaves}
    code = codes.pop() if len(codes) == 1 else None
    for leaf in leaves:
        _log_error(leaf, path, answered=code is not None)
    if code is None:
        return DescribedError("internal", PROBLEMS["internal"].meaning)
    wrong = [leaf for leaf in leaves if isinstance(leaf, InvalidParameterError)]
    detail = "; ".join(one.message for one in wrong) or _choose_detail(leaves[0], code)
    return DescribedError(code, detail, wrong, _build_headers(leaves[0], code))


def _iterate_leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _iterate_leaves(part)
    else:
        yield error


def _find_code(error: BaseException) -> str | None:
    """Return the problem code of an exception; None for a bug."""
    if isinstance(error, HTTPException):
        return _FRAMEWORK_CODES.get(error.code or 500)
    if isinstance(error, DeniedError):
        return error.code
    return next((code for kind, code in _ERROR_CODES if isinstance(error, kind)), None)


def _log_error(error: BaseException, path: str, *, answered: bool = True) -> None:
    """Log a bug with its traceback, any other error in one line.

    The store itself logs its outage once, so the failure of one request is only at level info.

    Args:
        error: a leaf.
        path: of the request.
        answered: whether the response is the leaf's own problem. If not, the response is a 500 that
            only the log explains.
    """
    code = _find_code(error)
    if code is None:
        log.error("request_bug", path=path, exc_info=error)
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


def _choose_detail(error: BaseException, code: str) -> str:
    """Return one sentence for the caller.

    Most of our exceptions have a message for the operator, which only the log shows.
    """
    if isinstance(error, ArchiveTimeoutError):
        return TOO_WIDE
    if isinstance(error, DeniedError | SignInUnavailableError | MetricsUnavailableError):
        return str(error)
    return (isinstance(error, HTTPException) and error.description) or PROBLEMS[code].meaning


def _build_headers(error: BaseException, code: str) -> dict[str, str]:
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(sorted(error.valid_methods or ()))}
    if isinstance(error, DeniedError) and error.challenge:
        return {"WWW-Authenticate": error.challenge}
    if isinstance(error, AccountGoneError):
        return {"WWW-Authenticate": CHALLENGE}
    wait_s = getattr(error, "retry_after_s", None) or RETRY_AFTER_S
    return {"Retry-After": str(ceil(wait_s))} if PROBLEMS[code].status in RETRIED_STATUSES else {}
