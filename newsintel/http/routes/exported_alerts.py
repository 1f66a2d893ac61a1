"""Saved searches in the export: their matches and deliveries, page by page, search by search."""

from collections.abc import Sequence
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
    if not searches:
        return [], None
    number, inner = _read_place(after)
    search = searches[number].public_id
    page = await services.alerts.searches.list_matches(of.id, search, PAGE_ROWS, inner)
    if page is None:  # deleted meanwhile
        return [], _start_next(number, searches)
    rows = [build_match_body(one) | {"saved_search": search} for one in page.matches]
    if page.next:
        return rows, Position((str(number), *page.next.keys))
    return rows, _start_next(number, searches)


async def read_deliveries(
    services: Services, of: Account, searches: Sequence[SavedSearch], after: Position | None
) -> ExportPage:
    """Return the deliveries that are in the log of one search."""
    if not searches:
        return [], None
    number, _ = _read_place(after)
    search = searches[number].public_id
    log = await services.alerts.deliveries.list_log(of.id, search)
    rows = [build_delivery_row(one) | {"saved_search": search} for one in log or ()]
    return rows, _start_next(number, searches)


def _read_place(after: Position | None) -> tuple[int, Position | None]:
    if after is None:
        return 0, None
    number, *inner = after.keys
    return int(str(number)), Position(tuple(inner)) if inner else None


def _start_next(number: int, searches: Sequence[SavedSearch]) -> Position | None:
    return Position((str(number + 1),)) if number + 1 < len(searches) else None
