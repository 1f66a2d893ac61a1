"""POST /articles/{id}/not-same: the caller says that two articles are not the same story."""

from attrs import frozen
from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.errors import InvalidBodyError
from newsintel.http.bodies.schemas.parts import ARTICLE_ID
from newsintel.http.paths import SEARCH
from newsintel.http.request.access import get_current_account
from newsintel.http.request.json_body import Member
from newsintel.http.request.json_kinds import matching_string
from newsintel.http.response.answers import answer_empty
from newsintel.http.route import Method, Route
from newsintel.http.routes.article_id import find_article
from newsintel.http.routes.ids import ARTICLE, IdParameters
from newsintel.http.services import Services

OTHER = Member(
    "as",
    matching_string(ARTICLE_ID, "the id of an article"),
    "The article with which it was merged.",
    required=True,
)


@frozen
class NotSameParameters(IdParameters):
    """The values of POST /articles/{id}/not-same."""

    as_: str


def build_routes() -> tuple[Route, ...]:
    """The route of these marks."""
    return (
        Route(
            SEARCH + "/{id}/not-same",
            mark_not_same,
            "Say that two articles are not the same story; your own view of a story shows it",
            {204: None},
            in_path={"id": ARTICLE},
            problems=("not_found", "busy", "archive_timeout"),
            method=Method.POST,
            need=Access.WRITE,
            body=(OTHER,),
        ),
    )


async def mark_not_same(services: Services, given: NotSameParameters) -> Response:
    """Record it; saying it again changes only the time."""
    if given.id == given.as_:
        raise InvalidBodyError("as", "same", "as must be the id of another article")
    await record_not_same(services, given.id, given.as_)
    return answer_empty()


async def record_not_same(services: Services, article_id: str, other_id: str) -> None:
    """Record that the caller calls two articles different stories."""
    found = [await find_article(services, one) for one in (article_id, other_id)]
    await services.personal.not_same.record(
        get_current_account().id,
        [(one.article, one.fetched_at) for one in found],
        services.now(),
    )
