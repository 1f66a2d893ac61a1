"""GET /me/export: all data of the account, as one JSON file.

Its lists may be long, so they are read and sent page by page, with one page in memory. If the
archive fails during the transfer, the transfer is cut. Every client detects this, because the last
chunk is missing.
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
from newsintel.domain.text.moments import format_time
from newsintel.errors import BusyError
from newsintel.http.bodies.alerts import build_saved_search
from newsintel.http.bodies.personal import (
    build_account_body,
    build_exported_mark,
    build_exported_not_same,
    build_exported_read,
    build_exported_save,
    build_search_row,
)
from newsintel.http.bodies.schemas.parts import ref
from newsintel.http.request.access import get_current_account
from newsintel.http.route import Route
from newsintel.http.routes import api_keys, private_feeds, sessions
from newsintel.http.routes.exported_alerts import read_deliveries, read_matches
from newsintel.http.routes.store_failures import report_store_failure
from newsintel.http.services import Services

PAGE_ROWS = 25
"""Rows per page. Saves with the texts of their articles and notes take at most 1.5 MiB a page."""

MARK_ROWS = 1_000
"""Rows per page of read marks, which hold no texts. A person may have 60,000."""

SEND_S = 300
"""Time limit for the whole file; any other response has 30 s."""

RETRY_S = 0.5
"""Pause between two attempts to read a page while the archive is busy. Each attempt also waits a
little for a slot."""

ExportPage = tuple[list[dict[str, Any]], Position | None]
ReadPage = Callable[[Position | None], Awaitable[ExportPage]]


def build_routes() -> tuple[Route, ...]:
    """The route of the export."""
    about = "Everything that belongs to the account, as a file"
    return (
        Route(
            "/me/export",
            export_account,
            about,
            {200: ref("Export")},
            problems=("busy", "archive_timeout"),
            need=Access.SESSION,
        ),
    )


async def export_account(services: Services) -> Response:
    """Answer with the file.

    The short parts are read before the response starts, so an unavailable store is still answered
    with a problem.
    """
    of, accounts, personal = get_current_account(), services.accounts, services.personal
    identities = await personal.account_data.list_identities(of.id)
    with report_store_failure(sessions.SESSIONS):
        signed_in = await accounts.sessions.list_of_user(of.public_id)
    watched = await services.alerts.searches.list_of_user(of.id)
    head = {
        "exported_at": format_time(services.now()),
        "account": build_account_body(of),
        "identities": [
            {"provider": provider, "subject": subject} for provider, subject in identities
        ],
        "preferences": await personal.preferences.get_all(of.id),
        "keys": [
            api_keys.build_key_row(key) for key in await accounts.api_keys.list_of_user(of.id)
        ],
        "feeds": [
            private_feeds.build_feed_row(feed) for feed in await personal.feeds.list_of_user(of.id)
        ],
        "saved_searches": [build_saved_search(one) for one in watched],
        "sessions": [sessions.build_session_row(session) for session in signed_in],
    }
    lists = {
        "saved": partial(_read_saved, services, of),
        "opened": partial(_read_marks, personal.feedback.list_opened, of),
        "dismissed": partial(_read_marks, personal.feedback.list_dismissed, of),
        "read": partial(_read_read_marks, services, of),
        "not_same": partial(_read_not_same, services, of),
        "searches": partial(_read_searches, services, of),
        "matches": partial(read_matches, services, of, watched),
        "deliveries": partial(read_deliveries, services, of, watched),
    }
    response = Response(
        Export(head, lists),
        headers={"Content-Disposition": 'attachment; filename="newsintel-export.json"'},
        content_type="application/json",
    )
    response.timeout = SEND_S
    return response


class Export:
    """The file, piece by piece.

    This is not a generator, so nothing must be closed when a client leaves.

    Args:
        head: the members that are already read.
        lists: the members that are read page by page, each with its reader.
    """

    def __init__(self, head: dict[str, Any], lists: Mapping[str, ReadPage]) -> None:
        self._pending: deque[Callable[[], Awaitable[bytes]]] = deque()
        for name, read in lists.items():
            self._pending.append(partial(self._read_page, read, None, b',"%s":[' % name.encode()))
        self._next = to_json(head)[:-1]

    def __aiter__(self) -> "Export":
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece; no piece is empty."""
        piece, self._next = self._next, b""
        if piece:
            return piece
        if not self._pending:
            raise StopAsyncIteration
        piece = await self._pending.popleft()()
        return piece if self._pending else piece + b"}"

    async def _read_page(self, read: ReadPage, after: Position | None, opening: bytes) -> bytes:
        """Return one page of a list as JSON: `opening`, the rows, and `]` after the last page."""
        rows, following = await _read_when_free(partial(read, after))
        text = opening + b",".join(map(to_json, rows)) if rows or after is None else b""
        if following is None:
            return text + b"]"
        self._pending.appendleft(partial(self._read_page, read, following, b","))
        return text


async def _read_when_free(read: Callable[[], Awaitable[ExportPage]]) -> ExportPage:
    """Return a page as soon as the archive has a free slot.

    The response has already begun as a 200, so a 503 is not possible any more. SEND_S limits the
    wait.
    """
    while True:
        try:
            return await read()
        except BusyError:
            await trio.sleep(RETRY_S)


async def _read_saved(services: Services, of: Account, after: Position | None) -> ExportPage:
    page = await services.personal.saved.list_page(of.id, None, PAGE_ROWS, after, content=True)
    return [build_exported_save(save) for save in page.saves], page.next


async def _read_marks(
    read: Callable[[int, int, Position | None], Awaitable[MarkPage]],
    of: Account,
    after: Position | None,
) -> ExportPage:
    page = await read(of.id, PAGE_ROWS, after)
    return [build_exported_mark(mark) for mark in page.marks], page.next


async def _read_read_marks(services: Services, of: Account, after: Position | None) -> ExportPage:
    page = await services.reader.marks.list_page(of.id, MARK_ROWS, after)
    return [build_exported_read(mark) for mark in page.marks], page.next


async def _read_not_same(services: Services, of: Account, after: Position | None) -> ExportPage:
    page = await services.personal.not_same.list_page(of.id, PAGE_ROWS, after)
    return [build_exported_not_same(mark) for mark in page.marks], page.next


async def _read_searches(services: Services, of: Account, after: Position | None) -> ExportPage:
    page = await services.personal.own_history.list_page(of.id, PAGE_ROWS, after)
    return [build_search_row(search) for search in page.searches], page.next
