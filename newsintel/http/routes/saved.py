"""/me/saved: the articles that the caller saved, with notes."""

from attrs import frozen
from quart import Response
from werkzeug.exceptions import Conflict, NotFound

from newsintel.domain.accounts.model import Access
from newsintel.domain.personal.model import PutResult
from newsintel.domain.personal.saved_query import parse_saved_query
from newsintel.domain.text.grammar import tidy_query
from newsintel.http.bodies.formats import Format
from newsintel.http.bodies.personal import build_save_body, build_saved_body
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import get_current_account
from newsintel.http.request.filters import FORMAT
from newsintel.http.request.json_body import LEFT_OUT, LeftOut, Member
from newsintel.http.request.json_kinds import nullable, string
from newsintel.http.request.query_kinds import free_text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.answers import answer_empty, answer_json
from newsintel.http.route import Method, Route
from newsintel.http.routes.article_id import find_article
from newsintel.http.routes.cursor_feed import choose_encoding
from newsintel.http.routes.ids import ARTICLE, ArticleParameters
from newsintel.http.routes.paging import PAGING, PagingParameters, read_cursor, write_cursor
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns

MAX_NOTES_CHARS = 10_000

WORDS = Parameter(
    "q",
    free_text(256),
    "A query that title, publisher and notes together must match. If absent, all saves.",
)
NOTES = Member(
    "notes",
    nullable(string(0, MAX_NOTES_CHARS)),
    "Your notes. If absent, those of an earlier save stay; null clears them.",
)


@frozen
class ListParameters(PagingParameters):
    """The values of GET /me/saved."""

    q: str | None
    format: Format


@frozen
class SaveParameters(ArticleParameters):
    """The values of PUT /me/saved/{article_id}."""

    notes: str | LeftOut | None


def build_routes() -> tuple[Route, ...]:
    """The routes of saved articles."""
    one, away = {"article_id": ARTICLE}, ("busy", "archive_timeout")
    return (
        Route(
            "/me/saved",
            list_saved,
            "The articles you saved, the latest first",
            {200: ref("SavedPage")},
            takes=(WORDS, *PAGING, FORMAT),
            formats=True,
            problems=away,
            need=Access.READ,
        ),
        Route(
            "/me/saved/{article_id}",
            save_article,
            "Save an article, or change your notes on it",
            {200: ref("SavedArticle"), 201: ref("SavedArticle")},
            in_path=one,
            problems=("not_found", "conflict", *away),
            method=Method.PUT,
            need=Access.WRITE,
            body=(NOTES,),
        ),
        Route(
            "/me/saved/{article_id}",
            delete_saved,
            "Forget a saved article",
            {204: None},
            in_path=one,
            problems=("not_found", *away),
            method=Method.DELETE,
            need=Access.WRITE,
        ),
    )


async def list_saved(services: Services, given: ListParameters) -> Response:
    """Answer with a page of saves."""
    q = None if given.q is None else tidy_query(given.q)
    words = None if q is None else parse_saved_query(q)
    asked = (get_current_account(), "saved", q)
    after = read_cursor(services, given.cursor, *asked)
    page = await services.personal.saved.list_page(
        get_current_account().id, words, given.limit, after
    )
    body = build_saved_body(page, write_cursor(services, page.next, *asked))
    title = f"newsintel: saved articles with {q}" if q else "newsintel: saved articles"
    encoding = choose_encoding(services.settings, given.format, title)
    data = await run_in_turns(encoding.encode(body))
    return Response(data, content_type=encoding.media_type)


async def save_article(services: Services, given: SaveParameters) -> Response:
    """Save an article from the archive, or from a recent answer not in the archive yet."""
    found = await find_article(services, given.article_id)
    save, done = await services.personal.saved.put(
        get_current_account().id,
        found.article,
        found.fetched_at,
        notes=None if given.notes is LEFT_OUT else given.notes,
        keep_notes=given.notes is LEFT_OUT,
        at=services.now(),
    )
    if done is PutResult.FULL:
        raise Conflict("You have reached the limit of saved articles. Forget some first.")
    return answer_json(build_save_body(save), status=201 if done is PutResult.NEW else 200)


async def delete_saved(services: Services, given: ArticleParameters) -> Response:
    """Forget a save."""
    if not await services.personal.saved.delete(get_current_account().id, given.article_id):
        raise NotFound("You have not saved this article.")
    return answer_empty()
