"""Saved searches in the export: their matches and deliveries, page by page, search by search."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from newsintel.domain.accounts.model import Account
from newsintel.domain.alerts.model import SavedSearch
from newsintel.domain.paging import Position
from newsintel.http.bodies.alerts import build_match_body
from newsintel.http.routes.alert_deliveries import build_delivery_row
from newsintel.http.services import Services

PAGE_ROWS = 100

ExportPage = tuple[list[dict[str, Any]], Position | None]
"""Some rows, and where the next ones begin: the number of a search, and a place in its list."""


async def read_matches(
    services: Services, of: Account, searches: Sequence[SavedSearch], after: Position | None
) -> ExportPage:
    """Return some matches of a person's searches, after a position."""

    async def read(search: str, inner: Position | None) -> ExportPage:
        page = await services.alerts.searches.list_matches(of.id, search, PAGE_ROWS, inner)
        if page is None:  # deleted meanwhile
            return [], None
        return [build_match_body(one) for one in page.matches], page.next

    return await _read_next(searches, after, read)


async def read_deliveries(
    services: Services, of: Account, searches: Sequence[SavedSearch], after: Position | None
) -> ExportPage:
    """Return the deliveries that are in the log of a search."""

    async def read(search: str, _: Position | None) -> ExportPage:
        log = await services.alerts.deliveries.list_log(of.id, search)
        return [build_delivery_row(one) for one in log or ()], None

    return await _read_next(searches, after, read)


async def _read_next(
    searches: Sequence[SavedSearch],
    after: Position | None,
    read: Callable[[str, Position | None], Awaitable[ExportPage]],
) -> ExportPage:
    """Return the next rows of the searches; searches without rows are passed over."""
    number, *inner = after.keys if after else ("0",)
    for place in range(int(str(number)), len(searches)):
        search = searches[place].public_id
        rows, following = await read(search, Position(tuple(inner)) if inner else None)
        inner = []
        if rows:
            keys = (str(place), *following.keys) if following else (str(place + 1),)
            return [row | {"saved_search": search} for row in rows], Position(keys)
    return [], None
