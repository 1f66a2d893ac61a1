"""GET /problems/{code}: the page that a problem's `type` points to."""

from quart import Response

from newsintel.http.ids import PROBLEM
from newsintel.http.problems import PROBLEMS
from newsintel.http.services import Services
from newsintel.http.table import Given, Route


def routes() -> tuple[Route, ...]:
    """The addresses of the pages on problems."""
    return (Route("/problems/{code}", page, "What a problem means", {200: None}, in_path={"code": PROBLEM}, problems=("not_found",)),)


async def page(_services: Services, given: Given) -> Response:
    """Answer one code's page, as plain text."""
    problem = PROBLEMS[given["code"]]
    text = f"{given['code']} ({problem.status})\n\n{problem.title}.\n{problem.meaning}\n"
    # The text changes with releases only.
    return Response(text, headers={"Cache-Control": "public, max-age=3600"}, content_type="text/plain; charset=utf-8")
