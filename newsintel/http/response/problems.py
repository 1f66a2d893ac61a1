"""The table of problems (RFC 9457): every error code of this service, its document and page."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from attrs import frozen
from quart import Response, request

from newsintel.domain.search.codec import to_json
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.errors import InvalidParameterError
from newsintel.http.asgi import Scope, Send
from newsintel.http.bodies.newsapi import build_newsapi_error
from newsintel.http.bodies.searxng import add_searxng_error
from newsintel.http.paths import NEWSAPI, PROBLEM_PAGES, SEARXNG

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = 1
"""The default Retry-After: a search holds its slot for at most about SEARCH_DEADLINE_S, 1.5 s by
default."""
RETRIED_STATUSES = (429, 503)
"""Statuses whose answers have a Retry-After."""


@frozen
class Problem:
    """One kind of error. `meaning` is the text of its page: cause and remedy."""

    status: int
    title: str
    meaning: str


PROBLEMS: dict[str, Problem] = {
    "invalid_parameter": Problem(
        400, "Invalid parameter", "The member `errors` names each invalid parameter and its rule."
    ),
    "invalid_body": Problem(
        400, "Invalid request body", "The body or form does not match what this path accepts."
    ),
    "bad_request": Problem(
        400, "Malformed HTTP request", "The bytes are not a valid HTTP/1.1 request (RFC 9112)."
    ),
    "unauthenticated": Problem(
        401,
        "Sign-in required",
        "Sign in (see GET /auth), or send a valid API key: `Authorization: Bearer ni_...`.",
    ),
    "cross_site": Problem(
        403,
        "Request from another site",
        "Changes with a session cookie must come from a page of this site.",
    ),
    "insufficient_scope": Problem(
        403,
        "Insufficient scope",
        "This request needs an API key with the scope `write`, or a session.",
    ),
    "session_required": Problem(
        403, "Session required", "API keys cannot do this. Sign in with a browser."
    ),
    "not_invited": Problem(
        403, "Account not allowed", "The operator of this service decides who may sign in."
    ),
    "not_found": Problem(
        404,
        "Not found",
        "The path is wrong, or the resource does not exist. /openapi.json lists every path.",
    ),
    "method_not_allowed": Problem(
        405, "Method not allowed", "The header `Allow` lists the allowed methods."
    ),
    "request_timeout": Problem(
        408, "Request timeout", "The head must arrive within 10 seconds, and so must the body."
    ),
    "conflict": Problem(
        409, "Conflict with the current state", "The member `detail` names the conflict."
    ),
    "too_large": Problem(413, "Request body too large", "A body may have at most 64 KiB."),
    "unsupported_media_type": Problem(
        415, "Unsupported media type", "The body must be application/json."
    ),
    "wrong_host": Problem(
        421,
        "Host name not served",
        "The operator can allow this name with NEWSINTEL_ALLOWED_HOSTS.",
    ),
    "headers_too_large": Problem(
        431,
        "Request head too large",
        "The request line and headers together may have at most 16 KiB and 128 lines.",
    ),
    "rate_limited": Problem(
        429,
        "Too many requests",
        "`RateLimit-Policy` has the limits, `RateLimit` what is left. Wait `Retry-After` seconds.",
    ),
    "internal": Problem(
        500,
        "Internal error",
        "This is a bug in this service. The operator finds more in the log under the request_id.",
    ),
    "sources_failed": Problem(
        502,
        "Every source failed",
        "The member `sources` has their status. No cached or archived answer was available.",
    ),
    "busy": Problem(
        503, "Service busy", "Retry after the number of seconds in the header `Retry-After`."
    ),
    "not_ready": Problem(
        503,
        "Sign-in not available",
        "Searches without sign-in still work. Retry after `Retry-After` seconds.",
    ),
    "archive_timeout": Problem(
        503, "The archive did not answer", "Searches still work. Retry after `Retry-After` seconds."
    ),
    "sources_timed_out": Problem(
        504,
        "Every source timed out",
        "No source answered within its deadline. No cached or archived answer was available.",
    ),
    "version_not_supported": Problem(
        505, "HTTP version not supported", "This server supports HTTP/1.1 and HTTP/1.0."
    ),
}

_BUSY_STATUSES = {
    Status.RATE_LIMITED,
    Status.QUOTA_EXHAUSTED,
    Status.OVERLOADED,
    Status.CIRCUIT_OPEN,
}


def find_failure_code(outcomes: Iterable[FetchOutcome]) -> str:
    """Return the code for a search in which every asked source failed."""
    statuses = {outcome.status for outcome in outcomes if outcome.status.failed}
    if statuses == {Status.TIMEOUT}:
        return "sources_timed_out"
    return "busy" if statuses <= _BUSY_STATUSES else "sources_failed"


def build_document(
    code: str,
    detail: str,
    *,
    path: str,
    request_id: str,
    errors: Iterable[InvalidParameterError] = (),
    **more: Any,
) -> dict[str, Any]:
    """Return the members of a problem document.

    Args:
        code: a key of PROBLEMS.
        detail: one sentence about this occurrence.
        path: of the request, decoded; `instance` is its URI reference.
        request_id: the id of the request in the log.
        errors: the invalid parameters.
        more: extension members, e.g. `sources`.
    """
    return {
        "type": PROBLEM_PAGES + code,
        "code": code,
        "title": PROBLEMS[code].title,
        "status": PROBLEMS[code].status,
        "detail": detail,
        "instance": quote(path, errors="replace"),
        "request_id": request_id,
        "errors": [
            {"field": error.field, "code": error.code, "message": error.message} for error in errors
        ],
        **more,
    }


@frozen
class ProblemForm:
    """In which form a part of the paths answers with problems.

    Attributes:
        media_type: of the body.
        schema: its name among the schemas of the API description.
        build: makes the body from a problem document.
    """

    media_type: str
    schema: str
    build: Callable[[dict[str, Any]], dict[str, Any]]


_OWN_FORM = ProblemForm(PROBLEM_JSON, "Problem", lambda document: document)
_DOOR_FORMS = {
    SEARXNG: ProblemForm(PROBLEM_JSON, "SearxngProblem", add_searxng_error),
    NEWSAPI: ProblemForm("application/json", "NewsApiError", build_newsapi_error),
}
"""The forms of foreign APIs, by the prefix of their paths."""


def find_form(path: str) -> ProblemForm:
    """Return the form of problems for a path: a foreign API's paths have its own."""
    forms = (form for prefix, form in _DOOR_FORMS.items() if path.startswith(prefix))
    return next(forms, _OWN_FORM)


async def send_problem(
    scope: Scope, send: Send, code: str, detail: str, head: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Answer with a problem outside the router. `head`: additional headers."""
    scope["state"]["problem"] = code
    document = build_document(
        code, detail, path=scope["path"], request_id=scope["state"]["request_id"]
    )
    form = find_form(scope["path"])
    body = to_json(form.build(document))
    headers = [
        (b"content-type", form.media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *head,
    ]
    await send({"type": "http.response.start", "status": PROBLEMS[code].status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def answer_problem(
    code: str,
    detail: str,
    *,
    errors: Iterable[InvalidParameterError] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return a problem as the response to the current request.

    Caches must not store it: 404, 405 and 414 would be cacheable by default (RFC 9110 15.1).
    """
    request_id = request.scope["state"]["request_id"]
    request.scope["state"]["problem"] = code
    document = build_document(
        code, detail, path=request.path, request_id=request_id, errors=errors, **more
    )
    form = find_form(request.path)
    response = Response(
        to_json(form.build(document)),
        status=PROBLEMS[code].status,
        content_type=form.media_type,
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response
