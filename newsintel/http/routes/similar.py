"""GET /articles/{id}/similar: articles that are similar to one."""

from functools import partial
from typing import Any

from attrs import frozen
from quart import Response

from newsintel.http.bodies.intelligence import build_similar_body
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.paths import SEARCH
from newsintel.http.request.query_kinds import whole_number
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.shared_answers import answer_shared, read_shared
from newsintel.http.route import Route
from newsintel.http.routes.article_id import find_article
from newsintel.http.routes.ids import ARTICLE, IdParameters
from newsintel.http.services import Services

CACHE_PREFIX = "similar"
"""The prefix of the keys in Redis."""


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
    asked = [given.id, given.limit]
    make = partial(_make, services, given.id, given.limit)
    return await answer_shared(services, CACHE_PREFIX, asked, make)


async def read_similar(services: Services, article_id: str, limit: int) -> list[dict[str, Any]]:
    """Return the articles of the same answer, for a page."""
    make = partial(_make, services, article_id, limit)
    body = await read_shared(services, CACHE_PREFIX, [article_id, limit], make)
    found: list[dict[str, Any]] = body["articles"]
    return found


async def _make(services: Services, article_id: str, limit: int) -> dict[str, Any]:
    matches = await services.intelligence.likeness.find_similar_by_id(article_id, limit)
    if matches is None:
        recent = await find_article(services, article_id)
        matches = await services.intelligence.likeness.find_similar_to(recent.article, limit)
    return build_similar_body(matches)
