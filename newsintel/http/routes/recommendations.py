"""GET /me/recommendations: articles for the caller, each with its reasons."""

from attrs import frozen
from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.http.bodies.intelligence import recommendations_body
from newsintel.http.bodies.schemas import ref
from newsintel.http.request.access import account
from newsintel.http.request.query_kinds import whole
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.answers import answer_json
from newsintel.http.route import Route
from newsintel.http.services import Services

LIMIT = Parameter("limit", whole(1, 50), "How many at most.", 20)


@frozen
class RecommendationParameters:
    """The values of GET /me/recommendations."""

    limit: int


def routes() -> tuple[Route, ...]:
    """The route of recommendations."""
    return (
        Route(
            "/me/recommendations",
            recommended,
            "Articles for you, each with its reasons",
            {200: ref("Recommendations")},
            takes=(LIMIT,),
            problems=("busy", "archive_timeout"),
            need=Access.READ,
        ),
    )


async def recommended(services: Services, given: RecommendationParameters) -> Response:
    """Answer with articles for the caller."""
    page = await services.intelligence.recommender.page(account(), given.limit)
    return answer_json(recommendations_body(page))
