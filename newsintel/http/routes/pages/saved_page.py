"""GET /saved: the articles that a person saved, with their notes."""

from attrs import frozen
from quart import Response

from newsintel.domain.accounts.model import Access
from newsintel.domain.personal.saved_query import parse_saved_query
from newsintel.domain.text.grammar import tidy_query
from newsintel.http.bodies.personal import build_saved_body
from newsintel.http.request.access import get_current_account
from newsintel.http.response.html_page import answer_page, render_current_page
from newsintel.http.route import PAGE_MEDIA, Route
from newsintel.http.routes.paging import PAGING, PagingParameters, read_cursor, write_cursor
from newsintel.http.routes.saved import WORDS
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns


@frozen
class SavedParameters(PagingParameters):
    """The values of GET /saved."""

    q: str | None


def build_routes() -> tuple[Route, ...]:
    """The route of the page."""
    return (
        Route(
            "/saved",
            show_saved,
            "Your saved articles as a page, with your notes",
            {200: None},
            takes=(WORDS, *PAGING),
            problems=("busy", "archive_timeout"),
            need=Access.SESSION,
            media=PAGE_MEDIA,
        ),
    )


async def show_saved(services: Services, given: SavedParameters) -> Response:
    """Answer with a page of saves; its forms change notes and forget."""
    account = get_current_account()
    q = None if given.q is None else tidy_query(given.q)
    words = None if q is None else parse_saved_query(q)
    asked = (account, "saved", q)
    after = read_cursor(services, given.cursor, *asked)
    page = await services.personal.saved.list_page(account.id, words, given.limit, after)
    body = build_saved_body(page, write_cursor(services, page.next, *asked))
    values = {"q": q or "", "body": body, "cursor": given.cursor}
    return answer_page(await run_in_turns(render_current_page("saved.html", values)))
