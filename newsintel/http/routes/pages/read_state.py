"""Which articles of a page its reader has read; the page shows them dimmed."""

from collections.abc import Iterable, Mapping
from typing import Any

from newsintel.errors import UnavailableError
from newsintel.http.request.access import get_current_caller
from newsintel.http.services import Services


async def find_read(services: Services, articles: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the ids of the articles that the caller has read; none if they cannot be found now."""
    account, ids = get_current_caller().account, [one["id"] for one in articles]
    if account is None or not ids:
        return frozenset()
    try:
        states = await services.reader.marks.find_states(account.id, ids)
    except UnavailableError:
        return frozenset()
    return frozenset(article_id for article_id, state in states.items() if state.read)
