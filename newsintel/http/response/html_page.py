"""Pages as responses: what every page shows, its policy, and errors as pages."""

from collections.abc import Mapping
from typing import Any

from quart import Response, request

from newsintel.domain.bounds.slices import Sliced, run_all
from newsintel.http.pages.links import PageLinks
from newsintel.http.pages.rendering import CONTENT_POLICY, HTML, render_page
from newsintel.http.request.access import get_current_caller
from newsintel.http.response.errors import describe_error
from newsintel.http.response.problems import PROBLEMS


def render_current_page(template: str, values: Mapping[str, Any]) -> Sliced[bytes]:
    """Render a page for the current request, in slices; `values` are the template's own."""
    account = get_current_caller().account
    frame: dict[str, Any] = {
        "links": PageLinks.of(request.path, request.query_string),
        "username": None if account is None else account.username,
    }
    return render_page(template, frame | dict(values))


def answer_page(
    body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a finished page as the response to the current request. No cache keeps it.

    Args:
        body: the page.
        status: the HTTP status.
        headers: in addition to Content-Type and Cache-Control.
    """
    allow_page_parts()
    always = {"Cache-Control": "no-store"}
    return Response(body, status=status, headers=always | dict(headers or {}), content_type=HTML)


def allow_page_parts() -> None:
    """Give the response to the current request the content security policy of pages."""
    request.scope["state"]["policy"] = CONTENT_POLICY


def respond_with_problem_page(error: BaseException) -> Response:
    """Log every leaf of an exception and answer with a page that tells what went wrong."""
    told = describe_error(error, request.path)
    values = {
        "code": told.code,
        "title": PROBLEMS[told.code].title,
        "detail": told.detail,
        "errors": [one.message for one in told.errors],
    }
    return answer_problem_page(told.code, values, told.headers)


def answer_problem_page(
    code: str, values: Mapping[str, Any], headers: Mapping[str, str]
) -> Response:
    """Answer the current request with a problem as a page.

    Args:
        code: a key of PROBLEMS.
        values: `code`, `title`, `detail` and `errors`.
        headers: further headers of the response.
    """
    state = request.scope["state"]
    state["problem"] = code
    shown = dict(values) | {"request_id": state["request_id"]}
    body = run_all(render_current_page("problem.html", shown))
    return answer_page(body, status=PROBLEMS[code].status, headers=headers)
