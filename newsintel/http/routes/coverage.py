"""GET /articles/{id}/coverage: who reported the article's story, and who did not."""

from typing import Any

from quart import Response

from newsintel.domain.archive.coverage import measure_coverage
from newsintel.http.bodies.coverage import build_coverage_body
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.paths import SEARCH
from newsintel.http.response.shared_answers import answer_shared
from newsintel.http.route import Route
from newsintel.http.routes.article_id import find_article
from newsintel.http.routes.ids import ARTICLE, IdParameters
from newsintel.http.services import Services


def build_routes() -> tuple[Route, ...]:
    """The route of a story's coverage."""
    return (
        Route(
            SEARCH + "/{id}/coverage",
            show_coverage,
            "Who reported the article's story, by country and language of the publishers",
            {200: ref("Coverage")},
            in_path={"id": ARTICLE},
            problems=("not_found", "busy", "archive_timeout"),
        ),
    )


async def show_coverage(services: Services, given: IdParameters) -> Response:
    """Answer with the coverage of the article and its duplicates."""

    async def make() -> dict[str, Any]:
        found = await find_article(services, given.id)
        articles = [found.article, *(member.article for member in found.duplicates)]
        return build_coverage_body(measure_coverage(articles))

    return await answer_shared(services, "coverage", [given.id], make)
