"""GET /me/export: everything that the account has, as one JSON file.

The lists in it may be long, so they are read and sent a page at a time: memory holds one page. Should the archive go away in the middle,
the transfer breaks off, which every client notices: the last chunk is missing.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import trio
from quart import Response

from newsintel.domain.accounts.model import Access, Account
from newsintel.domain.paging import Position
from newsintel.domain.personal.model import MarkPage
from newsintel.domain.search.codec import to_json
from newsintel.domain.text.moments import rfc3339
from newsintel.errors import BusyError
from newsintel.http.bodies.personal import account_body, exported_mark, exported_save, search_row
from newsintel.http.bodies.schemas import ref
from newsintel.http.request.access import account
from newsintel.http.request.query_string import Given
from newsintel.http.route import Route
from newsintel.http.routes import api_keys, sessions
from newsintel.http.services import Services

ROWS = 25
"""Read at once: saves with the texts of their articles and notes, a MiB and a half at the very most."""

SEND_S = 300
"""For the whole file, where any other response has 30 s."""

AGAIN_S = 0.5
"""Between two tries to read a page when the archive has no room; each waits a little by itself."""

Rows = tuple[list[dict[str, Any]], Position | None]
Read = Callable[[Position | None], Awaitable[Rows]]


def routes() -> tuple[Route, ...]:
    """The address of the export."""
    about = "Everything that belongs to the account, as a file"
    return (Route("/me/export", exported, about, {200: ref("Export")}, problems=("busy", "archive_timeout"), need=Access.SESSION),)


async def exported(services: Services, _given: Given) -> Response:
    """Answer with the file. What is short is read first, so that a store that is away is still told as a problem."""
    of, accounts, personal = account(), services.accounts, services.personal
    identities = await personal.account_data.identities(of.id)
    head = {
        "exported_at": rfc3339(services.now()),
        "account": account_body(of),
        "identities": [{"provider": provider, "subject": subject} for provider, subject in identities],
        "preferences": await personal.preferences.all(of.id),
        "keys": [api_keys.row(key) for key in await accounts.api_keys.of_user(of.id)],
        "sessions": [sessions.row(session) for session in await accounts.sessions.of_user(of.id)],
    }
    lists = {
        "saved": partial(_saved, services, of),
        "opened": partial(_marks, personal.feedback.opened, of),
        "dismissed": partial(_marks, personal.feedback.dismissed, of),
        "searches": partial(_searches, services, of),
    }
    response = Response(
        Export(head, lists),
        headers={"Content-Disposition": 'attachment; filename="newsintel-export.json"'},
        content_type="application/json",
    )
    response.timeout = SEND_S
    return response


class Export:
    """The file, piece by piece. No generator, so nothing in it needs to be closed when a client leaves.

    Args:
        head: the members that are at hand.
        lists: those that are read page by page, each with its reader.
    """

    def __init__(self, head: dict[str, Any], lists: Mapping[str, Read]) -> None:
        self._left: deque[Callable[[], Awaitable[bytes]]] = deque()
        for name, read in lists.items():
            self._left.append(partial(self._page, read, None, b',"%s":[' % name.encode()))
        self._next = to_json(head)[:-1]

    def __aiter__(self) -> "Export":
        return self

    async def __anext__(self) -> bytes:
        """The next piece; none of them is empty."""
        piece, self._next = self._next, b""
        if piece:
            return piece
        if not self._left:
            raise StopAsyncIteration
        piece = await self._left.popleft()()
        return piece if self._left else piece + b"}"

    async def _page(self, read: Read, after: Position | None, opening: bytes) -> bytes:
        """A page of a list, as far as it goes on with what opens its first, and closed after its last."""
        rows, following = await _patiently(partial(read, after))
        text = opening + b",".join(map(to_json, rows)) if rows or after is None else b""
        if following is None:
            return text + b"]"
        self._left.appendleft(partial(self._page, read, following, b","))
        return text


async def _patiently(read: Callable[[], Awaitable[Rows]]) -> Rows:
    """A page as soon as there is room at the archive, for nothing can be said of it any more: what has begun is a 200. SEND_S ends it."""
    while True:
        try:
            return await read()
        except BusyError:
            await trio.sleep(AGAIN_S)


async def _saved(services: Services, of: Account, after: Position | None) -> Rows:
    page = await services.personal.saved.page(of.id, None, ROWS, after, content=True)
    return [exported_save(save) for save in page.saves], page.next


async def _marks(read: Callable[[int, int, Position | None], Awaitable[MarkPage]], of: Account, after: Position | None) -> Rows:
    page = await read(of.id, ROWS, after)
    return [exported_mark(mark) for mark in page.marks], page.next


async def _searches(services: Services, of: Account, after: Position | None) -> Rows:
    page = await services.personal.own_history.page(of.id, ROWS, after)
    return [search_row(search) for search in page.searches], page.next
