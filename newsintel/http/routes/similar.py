"""GET /articles/{id}/similar, more like this."""

from typing import Any

from quart import Response

from newsintel.http.bodies.intelligence import similar_body
from newsintel.http.bodies.schemas import ref
from newsintel.http.paths import SEARCH
from newsintel.http.request.query_kinds import whole
from newsintel.http.request.query_string import Given, Parameter
from newsintel.http.response.shared_answers import kept
from newsintel.http.route import Route
from newsintel.http.routes.article_id import known_article
from newsintel.http.routes.ids import ARTICLE
from newsintel.http.services import Services


def routes() -> tuple[Route, ...]:
    """The address of more like this."""
    return (
        Route(
            SEARCH + "/{id}/similar",
            similar,
            "More like one article, from the whole archive: other stories with the words in common that tell most",
            {200: ref("Similar")},
            in_path={"id": ARTICLE},
            takes=(Parameter("limit", whole(1, 50), "How many at most.", 10),),
            problems=("not_found", "busy", "archive_timeout"),
        ),
    )


async def similar(services: Services, given: Given) -> Response:
    """Answer what is most like an article; of one that is not archived yet by its own text."""
    article_id, limit = given["id"], given["limit"]

    async def make() -> dict[str, Any]:
        matches = await services.intelligence.likeness.similar(article_id, limit)
        if matches is None:
            recent = await known_article(services, article_id)
            matches = await services.intelligence.likeness.like(recent.article, limit)
        return similar_body(matches)

    return await kept(services, "similar", [article_id, limit], make)
