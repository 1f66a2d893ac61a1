"""GET /me/recommendations: articles for the caller, each with its reasons."""

from attrs import frozen
from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.http.bodies.intelligence import build_recommendations_body
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import get_current_account
from newsintel.http.request.query_kinds import whole_number
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.answers import answer_json
from newsintel.http.route import Route
from newsintel.http.services import Services

LIMIT = Parameter("limit", whole_number(1, 50), "How many at most.", 20)


@frozen
class RecommendationParameters:
    """The values of GET /me/recommendations."""

    limit: int


def build_routes() -> tuple[Route, ...]:
    """The route of recommendations."""
    return (
        Route(
            "/me/recommendations",
            list_recommendations,
            "Articles for you, each with its reasons",
            {200: ref("Recommendations")},
            takes=(LIMIT,),
            problems=("busy", "archive_timeout"),
            need=Access.READ,
        ),
    )


async def list_recommendations(services: Services, given: RecommendationParameters) -> Response:
    """Answer with articles for the caller."""
    page = await services.intelligence.recommender.build_page(get_current_account(), given.limit)
    return answer_json(build_recommendations_body(page))
