"""POST /story/{id}: the forms about one article, on every page that shows it.

They do what the API does with JSON, for browsers without scripts. Afterwards the browser shows the
page on which the form was.
"""

from collections.abc import Awaitable, Callable

from attrs import frozen
from quart import Response
from werkzeug.exceptions import NotFound

from newsintel.domain.accounts.model import Access
from newsintel.domain.accounts.sign_in import choose_return_path
from newsintel.domain.personal.model import Dismissal
from newsintel.errors import InvalidBodyError
from newsintel.http.bodies.schemas.parts import ARTICLE_ID
from newsintel.http.request.access import get_current_account
from newsintel.http.request.json_body import LEFT_OUT
from newsintel.http.request.query_kinds import choice, free_text, limited_text, matching_text
from newsintel.http.request.query_string import Parameter
from newsintel.http.response.redirects import answer_see_other
from newsintel.http.route import PAGE_MEDIA, Method, Route
from newsintel.http.routes.feedback import DismissalParameters, put_dismissed
from newsintel.http.routes.ids import ARTICLE, ArticleParameters, IdParameters
from newsintel.http.routes.not_same import record_not_same
from newsintel.http.routes.saved import MAX_NOTES_CHARS, SaveParameters, delete_saved, save_article
from newsintel.http.services import Services


@frozen
class ArticleFormParameters(IdParameters):
    """The values of POST /story/{id}."""

    do: str
    article: str | None
    notes: str | None
    back: str | None


async def _save(services: Services, given: ArticleFormParameters) -> None:
    notes = LEFT_OUT if given.notes is None else _fold_line_ends(given.notes)
    await save_article(services, SaveParameters(given.id, notes))


async def _note(services: Services, given: ArticleFormParameters) -> None:
    notes = None if given.notes is None else _fold_line_ends(given.notes)
    await save_article(services, SaveParameters(given.id, notes))


async def _forget(services: Services, given: ArticleFormParameters) -> None:
    await delete_saved(services, ArticleParameters(given.id))


async def _dismiss(services: Services, given: ArticleFormParameters) -> None:
    await put_dismissed(services, DismissalParameters(given.id, Dismissal.LESS_LIKE_THIS))


async def _separate(services: Services, given: ArticleFormParameters) -> None:
    await record_not_same(services, _require_other(given), given.id)


async def _rejoin(services: Services, given: ArticleFormParameters) -> None:
    other, account = _require_other(given), get_current_account()
    if not await services.personal.not_same.delete(account.id, other, given.id):
        raise NotFound("You have not called these different stories.")


def _fold_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n")  # forms send CR LF for each line end


def _require_other(given: ArticleFormParameters) -> str:
    if given.article in (None, given.id):
        raise InvalidBodyError("article", "required", "article must be the id of another article")
    return str(given.article)


ACTIONS: dict[str, Callable[[Services, ArticleFormParameters], Awaitable[None]]] = {
    "save": _save,
    "note": _note,
    "forget": _forget,
    "less_like_this": _dismiss,
    "not_same": _separate,
    "same": _rejoin,
}

FORM = (
    Parameter("do", choice(*ACTIONS), "What to do with the article.", required=True),
    Parameter(
        "article",
        matching_text(ARTICLE_ID, "the id of an article"),
        "Another report of the story, for not_same and same.",
    ),
    Parameter(
        "notes",
        limited_text(MAX_NOTES_CHARS),
        "Your notes. If empty, `save` keeps those of an earlier save, and `note` clears them.",
    ),
    Parameter(
        "back",
        free_text(),
        "The page to show afterwards, a path of this service; the story's page if absent.",
    ),
)


def build_routes() -> tuple[Route, ...]:
    """The route of the forms."""
    return (
        Route(
            "/story/{id}",
            change_article,
            "The forms of the pages about one article: save, note, forget, less like this, "
            "whether a report belongs to the story",
            {303: None},
            in_path={"id": ARTICLE},
            problems=("not_found", "conflict", "busy", "archive_timeout"),
            method=Method.POST,
            need=Access.SESSION,
            form=FORM,
            media=PAGE_MEDIA,
        ),
    )


async def change_article(services: Services, given: ArticleFormParameters) -> Response:
    """Do it, and go back."""
    await ACTIONS[given.do](services, given)
    return answer_see_other(".." + choose_return_path(given.back) if given.back else given.id)
