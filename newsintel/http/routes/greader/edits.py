"""Changes of Google Reader's API: edit-tag (read, starred), mark-all-as-read.

Starred items are saved articles. Clients also send tags that we do not keep, such as `kept-unread`,
beside those that mean the same; these are ignored.
"""

from collections.abc import Sequence

from attrs import frozen
from quart import Response
from werkzeug.exceptions import Conflict

from newsintel.domain.accounts.model import Access
from newsintel.domain.bounds.chunks import cut_into_chunks
from newsintel.domain.personal.model import PutResult
from newsintel.domain.reader.selection import State, normalize_us
from newsintel.domain.search.article import MAX_CONTENT
from newsintel.http.paths import READER_API
from newsintel.http.request.access import get_current_account
from newsintel.http.request.query_string import Parameter
from newsintel.http.route import Method, Route, View
from newsintel.http.routes.greader.contents import fill_streams, find_articles, list_items
from newsintel.http.routes.greader.kinds import ITEMS, NUMBER_KIND, STATE_KIND, STREAM_KIND
from newsintel.http.routes.greader.login import answer_text
from newsintel.http.services import Services

SAVED_AT_ONCE = 20
"""Articles that are read with their whole texts to be saved: 4 MB at most."""

EDIT_FORM = (
    ITEMS,
    Parameter("a", STATE_KIND, "The tag to add.", (), many=True),
    Parameter("r", STATE_KIND, "The tag to remove.", (), many=True),
)
MARK_FORM = (
    Parameter("s", STREAM_KIND, "The stream.", required=True),
    Parameter("ts", NUMBER_KIND, "Only items that arrived until then, in microseconds."),
)


@frozen
class EditParameters:
    """The values of edit-tag."""

    i: tuple[int, ...]
    a: tuple[State | None, ...]
    r: tuple[State | None, ...]


@frozen
class MarkParameters:
    """The values of mark-all-as-read."""

    s: str
    ts: int | None


def build_routes() -> tuple[Route, ...]:
    """The routes that change something."""
    return (
        _build_route("/edit-tag", edit_tags, "Mark items as read or starred", EDIT_FORM),
        _build_route("/mark-all-as-read", mark_all_read, "Mark a stream as read", MARK_FORM),
    )


def _build_route(path: str, view: View, about: str, form: tuple[Parameter, ...]) -> Route:
    return Route(
        READER_API + path,
        view,
        about,
        {200: None},
        method=Method.POST,
        need=Access.WRITE,
        form=form,
        foreign=True,
        problems=("not_found", "conflict", "busy", "archive_timeout"),
    )


async def edit_tags(services: Services, given: EditParameters) -> Response:
    """Change the states of items; those that are gone are ignored."""
    found = await find_articles(services, given.i, 0)
    user_id, ids = get_current_account().id, [hit.article.id for hit in found.values()]
    marks, now = services.reader.marks, services.now()
    if State.READ in given.a or State.UNREAD in given.r:
        await marks.mark_read(user_id, ids, now)
    if State.READ in given.r or State.UNREAD in given.a:
        await marks.mark_unread(user_id, ids)
    if State.STARRED in given.a:
        await _save(services, user_id, [*found])
    if State.STARRED in given.r:
        for article_id in ids:
            await services.personal.saved.delete(user_id, article_id)
    return answer_text("OK")


async def _save(services: Services, user_id: int, numbers: Sequence[int]) -> None:
    """Save articles. One that leaves the archive meanwhile is stored again, with its text."""
    for some in cut_into_chunks(numbers, SAVED_AT_ONCE):
        for hit in (await find_articles(services, some, MAX_CONTENT)).values():
            _, done = await services.personal.saved.put(
                user_id,
                hit.article,
                hit.fetched_at,
                notes=None,
                keep_notes=True,
                at=services.now(),
            )
            if done is PutResult.FULL:
                raise Conflict("You have reached the limit of saved articles. Forget some first.")


async def mark_all_read(services: Services, given: MarkParameters) -> Response:
    """Mark the items of a stream that arrived until a time."""
    user_id = get_current_account().id
    filled = await fill_streams(services, user_id)
    items = await list_items(services, user_id, given.s, filled)
    until_us = None if given.ts is None else normalize_us(given.ts)
    ids = [item.id for item in items if until_us is None or item.seen_us <= until_us]
    await services.reader.marks.mark_read(user_id, ids, services.now())
    return answer_text("OK")
