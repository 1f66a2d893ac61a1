"""/me/history: the searches that the caller made while signed in."""

from quart import Response
from werkzeug.exceptions import NotFound

from newsintel.domain.accounts.model import Access
from newsintel.http.bodies.personal import build_history_body
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import get_current_account
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.route import Method, Route
from newsintel.http.routes.forget_searches import forget_searches
from newsintel.http.routes.ids import SEARCH, IdParameters
from newsintel.http.routes.paging import PAGING, PagingParameters, read_cursor, write_cursor
from newsintel.http.services import Services


def build_routes() -> tuple[Route, ...]:
    """The routes of the history."""
    away = ("busy", "archive_timeout")
    return (
        Route(
            "/me/history",
            list_history,
            "Your searches, the latest first",
            {200: ref("History")},
            takes=PAGING,
            problems=away,
            need=Access.READ,
        ),
        Route(
            "/me/history",
            clear_history,
            "Forget all your searches",
            {204: None},
            problems=away,
            method=Method.DELETE,
            need=Access.WRITE,
        ),
        Route(
            "/me/history/{id}",
            delete_search,
            "Forget one search",
            {204: None},
            in_path={"id": SEARCH},
            problems=("not_found", *away),
            method=Method.DELETE,
            need=Access.WRITE,
        ),
    )


async def list_history(services: Services, given: PagingParameters) -> Response:
    """Answer with a page of searches."""
    asked = (get_current_account(), "history")
    after = read_cursor(services, given.cursor, *asked)
    page = await services.personal.own_history.list_page(
        get_current_account().id, given.limit, after
    )
    return answer_json(build_history_body(page, write_cursor(services, page.next, *asked)))


async def clear_history(services: Services) -> Response:
    """Forget every search up to now, also in the counts for trends."""
    await forget_searches(services, get_current_account(), services.now())
    return answer_empty()


async def delete_search(services: Services, given: IdParameters) -> Response:
    """Forget one search."""
    if not await services.personal.own_history.delete(get_current_account().id, given.id):
        raise NotFound("You have no search with this id.")
    return answer_empty()
