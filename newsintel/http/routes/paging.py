"""Pages of one person's own lists: how many on each, and the cursor to the next, good for this person and these filters alone."""

import json
from collections.abc import Iterable

from newsintel.domain.accounts.model import Account
from newsintel.domain.paging import MAX_CHARS, Position
from newsintel.http.request.query_kinds import text, whole
from newsintel.http.request.query_string import Parameter
from newsintel.http.services import Services

PAGING = (
    Parameter("limit", whole(1, 100), "How many on a page.", 20),
    Parameter("cursor", text(MAX_CHARS), "next_cursor of an answer to the same request: the page after it."),
)


def position(services: Services, cursor: str | None, account: Account, *asked: str | None) -> Position | None:
    """Where the page before ended; None for the first page.

    Args:
        services: read cursors.
        cursor: as given.
        account: whose list it is.
        asked: names the list, and its filters.

    Raises:
        InvalidParameterError: the cursor is of another list, filter or person; names `cursor`.
    """
    return None if cursor is None else services.cursors.read(cursor, _bound(account, asked))


def next_cursor(services: Services, following: Position | None, account: Account, *asked: str | None) -> str | None:
    """The cursor to a position; None if there is none. The arguments as above."""
    return None if following is None else services.cursors.write(following, _bound(account, asked))


def _bound(account: Account, asked: Iterable[str | None]) -> str:
    return json.dumps([account.public_id, *asked])
