"""GET /problems/{code}: the page that a problem's `type` points to."""

from attrs import frozen
from quart import Response

from newsintel.http.paths import PROBLEM_PAGES
from newsintel.http.response.problems import PROBLEMS
from newsintel.http.route import Route
from newsintel.http.routes.ids import PROBLEM
from newsintel.http.services import Services


@frozen
class CodeParameters:
    """The values of GET /problems/{code}."""

    code: str


def build_routes() -> tuple[Route, ...]:
    """The route of the pages about problems."""
    return (
        Route(
            PROBLEM_PAGES + "{code}",
            show_problem_page,
            "What a problem means",
            {200: None},
            in_path={"code": PROBLEM},
            problems=("not_found",),
        ),
    )


async def show_problem_page(_services: Services, given: CodeParameters) -> Response:
    """Answer with one code's page, as plain text."""
    problem = PROBLEMS[given.code]
    text = f"{given.code} ({problem.status})\n\n{problem.title}.\n{problem.meaning}\n"
    # The text changes only with releases.
    return Response(
        text,
        headers={"Cache-Control": "public, max-age=3600"},
        content_type="text/plain; charset=utf-8",
    )
