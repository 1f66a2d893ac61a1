"""The one table of errors: every code that this service answers with, and the document and page of each (RFC 9457)."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from attrs import frozen
from quart import Response, request

from newsintel.domain.search.codec import to_json
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.errors import InvalidParameterError
from newsintel.http.asgi import Scope, Send
from newsintel.http.paths import PROBLEM_PAGES

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = 1
"""For a lack of room: the longest that a search holds its place is about SEARCH_DEADLINE_S, 1.5 s by default."""


@frozen
class Problem:
    """One kind of error. `meaning` is the text of its page: what happened and what to do."""

    status: int
    title: str
    meaning: str


PROBLEMS: dict[str, Problem] = {
    "invalid_parameter": Problem(400, "A parameter cannot be used", "The member `errors` names each parameter and what it may be."),
    "invalid_body": Problem(400, "The request cannot be read", "Its body or form is not what this address takes."),
    "bad_request": Problem(400, "The request is not HTTP", "Its bytes cannot be read as an HTTP/1.1 request (RFC 9112)."),
    "unauthenticated": Problem(
        401, "Signing in is needed", "Sign in (GET /auth lists how), or send a key that is good: `Authorization: Bearer ni_...`."
    ),
    "cross_site": Problem(403, "Another site's page asked for this", "Changes with a session's cookie are taken from our own pages alone."),
    "insufficient_scope": Problem(403, "This key may not do that", "It takes a key whose scope is `write`, or a session."),
    "session_required": Problem(403, "No key may do that", "It takes a session: sign in with a browser."),
    "not_invited": Problem(403, "This account is not let in here", "Whoever runs this service decides who may sign in."),
    "not_found": Problem(
        404, "Nothing is here", "The address is wrong, or what it named is not known here. /openapi.json lists every address."
    ),
    "method_not_allowed": Problem(405, "The method is not allowed here", "The header `Allow` lists those that are."),
    "request_timeout": Problem(408, "The request took too long to arrive", "Its head must arrive within 10 seconds, its body as well."),
    "conflict": Problem(409, "It cannot be done as things stand", "The member `detail` says what stands in the way."),
    "too_large": Problem(413, "The request's body is too large", "A body may have 64 KiB."),
    "unsupported_media_type": Problem(415, "The body's media type is not taken here", "Bodies are application/json."),
    "wrong_host": Problem(421, "This host name is not served here", "The operator can allow it with NEWSINTEL_ALLOWED_HOSTS."),
    "headers_too_large": Problem(
        431, "The request's head is too large", "The request line and headers may have 16 KiB and 128 lines together."
    ),
    "rate_limited": Problem(
        429,
        "Too many requests",
        "`RateLimit-Policy` tells what one person may ask, `RateLimit` what is left. Ask again after `Retry-After` seconds.",
    ),
    "internal": Problem(
        500, "Something went wrong on our side", "A bug in this service. Its log tells the operator more under the request_id."
    ),
    "sources_failed": Problem(502, "Every source failed", "The member `sources` says how each did, and nothing older could stand in."),
    "busy": Problem(503, "No room right now", "Ask again after the number of seconds in the header `Retry-After`."),
    "not_ready": Problem(
        503, "Signing in does not work right now", "Searching without signing in still does. Ask again after `Retry-After` seconds."
    ),
    "archive_timeout": Problem(503, "The archive did not answer", "Searching still works. Ask again after `Retry-After` seconds."),
    "sources_timed_out": Problem(504, "Every source took too long", "None answered within its deadline, and nothing older could stand in."),
    "version_not_supported": Problem(505, "This version of HTTP is not spoken here", "HTTP/1.1 and HTTP/1.0 are."),
}

_NO_ROOM = {Status.RATE_LIMITED, Status.QUOTA_EXHAUSTED, Status.OVERLOADED, Status.CIRCUIT_OPEN}


def code_of_failures(outcomes: Iterable[FetchOutcome]) -> str:
    """The code for a search of which every source that was to be asked failed."""
    statuses = {outcome.status for outcome in outcomes if outcome.status.failed}
    if statuses == {Status.TIMEOUT}:
        return "sources_timed_out"
    return "busy" if statuses <= _NO_ROOM else "sources_failed"


def document(
    code: str, detail: str, *, path: str, request_id: str, errors: Iterable[InvalidParameterError] = (), **more: Any
) -> dict[str, Any]:
    """The members of a problem document.

    Args:
        code: one of PROBLEMS.
        detail: one sentence on this very case.
        path: of the request, decoded; `instance` is its URI reference.
        request_id: where the log tells more.
        errors: the parameters at fault.
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
        "errors": [{"field": error.field, "code": error.code, "message": error.message} for error in errors],
        **more,
    }


async def refuse(scope: Scope, send: Send, code: str, detail: str, head: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer with a problem outside the router. `head`: further headers."""
    scope["state"]["problem"] = code
    body = to_json(document(code, detail, path=scope["path"], request_id=scope["state"]["request_id"]))
    headers = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *head,
    ]
    await send({"type": "http.response.start", "status": PROBLEMS[code].status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def respond(
    code: str, detail: str, *, errors: Iterable[InvalidParameterError] = (), headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """The current request's answer with a problem. Nobody may keep it: 404, 405 and 414 would be cacheable by default (RFC 9110 15.1)."""
    request_id = request.scope["state"]["request_id"]
    request.scope["state"]["problem"] = code
    body = document(code, detail, path=request.path, request_id=request_id, errors=errors, **more)
    response = Response(to_json(body), status=PROBLEMS[code].status, content_type=PROBLEM_JSON)
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response
