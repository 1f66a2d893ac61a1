"""GET /articles/{id}/similar: articles that are similar to one."""

from typing import Any

from attrs import frozen
from quart import Response

from newsintel.http.bodies.intelligence import build_similar_body
from newsintel.http.bodies.schemas import ref
from newsintel.http.paths import SEARCH
from newsintel.http.request.query_kinds import whole_number
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.shared_answers import answer_shared
from newsintel.http.route import Route
from newsintel.http.routes.article_id import find_article
from newsintel.http.routes.ids import ARTICLE, IdParameters
from newsintel.http.services import Services


@frozen
class SimilarParameters(IdParameters):
    """The values of GET /articles/{id}/similar."""

    limit: int


def build_routes() -> tuple[Route, ...]:
    """The route of similar articles."""
    return (
        Route(
            SEARCH + "/{id}/similar",
            list_similar,
            "Other stories in the whole archive that share the article's most significant words",
            {200: ref("Similar")},
            in_path={"id": ARTICLE},
            takes=(Parameter("limit", whole_number(1, 50), "How many at most.", 10),),
            problems=("not_found", "busy", "archive_timeout"),
        ),
    )


async def list_similar(services: Services, given: SimilarParameters) -> Response:
    """Answer with the most similar articles; for an article not archived yet, by its own text."""
    article_id, limit = given.id, given.limit

    async def make() -> dict[str, Any]:
        matches = await services.intelligence.likeness.find_similar_by_id(article_id, limit)
        if matches is None:
            recent = await find_article(services, article_id)
            matches = await services.intelligence.likeness.find_similar_to(recent.article, limit)
        return build_similar_body(matches)

    return await answer_shared(services, "similar", [article_id, limit], make)
