"""/me/opened and /me/dismissed: articles that the caller read, and articles not wanted.

Recommendations use both.
"""

from attrs import frozen
from quart import Response
from werkzeug.exceptions import NotFound

from newsintel.domain.accounts.model import Access
from newsintel.domain.personal.model import Dismissal
from newsintel.http.request.access import get_current_account
from newsintel.http.request.json_body import Member
from newsintel.http.request.json_kinds import choice
from newsintel.http.response.answers import answer_empty
from newsintel.http.route import Method, Route, View
from newsintel.http.routes.article_id import find_article
from newsintel.http.routes.ids import ARTICLE, ArticleParameters
from newsintel.http.services import Services

REASON = Member(
    "reason",
    choice(*Dismissal),
    "`hide`: only this article; `less_like_this`: also fewer like it.",
    required=True,
)


@frozen
class DismissalParameters(ArticleParameters):
    """The values of PUT /me/dismissed/{article_id}."""

    reason: Dismissal


def build_routes() -> tuple[Route, ...]:
    """The routes of opened and dismissed articles."""
    opened, dismissed = "/me/opened/{article_id}", "/me/dismissed/{article_id}"
    return (
        _build_route(opened, put_opened, "Note that you opened an article", Method.PUT),
        _build_route(opened, delete_opened, "Forget that you opened an article", Method.DELETE),
        _build_route(dismissed, put_dismissed, "Stop recommending an article", Method.PUT, REASON),
        _build_route(
            dismissed, delete_dismissed, "Let an article be recommended again", Method.DELETE
        ),
    )


async def put_opened(services: Services, given: ArticleParameters) -> Response:
    """Note that an article was opened, from the archive or from a recent answer; so it is read."""
    found = await find_article(services, given.article_id)
    account, now = get_current_account(), services.now()
    await services.personal.feedback.record_opened(account.id, found.article, found.fetched_at, now)
    await services.reader.marks.mark_read(account.id, [found.article.id], now)
    return answer_empty()


async def delete_opened(services: Services, given: ArticleParameters) -> Response:
    """Forget that an article was opened."""
    if not await services.personal.feedback.delete_opened(
        get_current_account().id, given.article_id
    ):
        raise NotFound("You have not opened this article.")
    return answer_empty()


async def put_dismissed(services: Services, given: DismissalParameters) -> Response:
    """Note that an article is not wanted."""
    found = await find_article(services, given.article_id)
    await services.personal.feedback.record_dismissed(
        get_current_account().id, found.article, found.fetched_at, services.now(), given.reason
    )
    return answer_empty()


async def delete_dismissed(services: Services, given: ArticleParameters) -> Response:
    """Forget that an article is not wanted."""
    if not await services.personal.feedback.delete_dismissed(
        get_current_account().id, given.article_id
    ):
        raise NotFound("You have not dismissed this article.")
    return answer_empty()


def _build_route(path: str, view: View, about: str, method: Method, *body: Member) -> Route:
    return Route(
        path,
        view,
        about,
        {204: None},
        in_path={"article_id": ARTICLE},
        problems=("not_found", "busy", "archive_timeout"),
        method=method,
        need=Access.WRITE,
        body=body,
    )
