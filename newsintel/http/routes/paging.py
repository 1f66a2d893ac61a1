"""Paging of a person's own lists: the page size, and the cursor to the next page.

A cursor is valid only for the same person and filters.
"""

import json
from collections.abc import Iterable

from attrs import frozen

from newsintel.domain.accounts.model import Account
from newsintel.domain.paging import MAX_CHARS, Position
from newsintel.http.request.query_kinds import free_text, whole_number
from newsintel.http.request.query_string import Parameter
from newsintel.http.services import Services

PAGING = (
    Parameter("limit", whole_number(1, 100), "How many on a page.", 20),
    Parameter(
        "cursor",
        free_text(MAX_CHARS),
        "next_cursor of an answer to the same request: the page after it.",
    ),
)


@frozen
class PagingParameters:
    """The values of PAGING."""

    limit: int
    cursor: str | None


def read_cursor(
    services: Services, cursor: str | None, account: Account, *asked: str | None
) -> Position | None:
    """Return where the previous page ended; None for the first page.

    Args:
        services: reads cursors.
        cursor: from the request.
        account: the owner of the list.
        asked: the list's name and filters.

    Raises:
        InvalidParameterError: the cursor belongs to another list, filter or person. The error names
            `cursor`.
    """
    return (
        None
        if cursor is None
        else services.cursors.read(cursor, _build_cursor_scope(account, asked))
    )


def write_cursor(
    services: Services, following: Position | None, account: Account, *asked: str | None
) -> str | None:
    """Return the cursor to a position; None for None. The arguments are those of `read_cursor`."""
    return (
        None
        if following is None
        else services.cursors.write(following, _build_cursor_scope(account, asked))
    )


def _build_cursor_scope(account: Account, asked: Iterable[str | None]) -> str:
    return json.dumps([account.public_id, *asked])
