"""Writes searches to the history and the counts of people, for the recorder and the drainer."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from newsintel.domain.personal.ports import History
from newsintel.domain.ports import Count
from newsintel.domain.search.history import SearchRecord
from newsintel.runtime.halving import save_halving
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

T = TypeVar("T")


async def record_searches(searches: Sequence[SearchRecord], history: History, count: Count) -> None:
    """Write searches to the history, and count them as `recorded_searches`.

    Raises:
        UnavailableError: PostgreSQL is unavailable or too slow.
    """
    written = await write_searches(searches, history.record_searches, count, "history")
    count("recorded_searches", written)


async def write_searches(
    rows: Sequence[T], write: Callable[[Sequence[T]], Awaitable[None]], count: Count, inbox: str
) -> int:
    """Write rows, without those that PostgreSQL refuses; return how many were written.

    Args:
        rows: searches, or marks of searches.
        write: writes some rows, all or none.
        count: counts `refusals`.
        inbox: what the rows are written to, for log and counter.
    """
    refused = 0

    async def refuse(_row: T, reason: str) -> None:
        nonlocal refused
        refused += 1
        log.warning("search_refused", kept_as=inbox, reason=reason)
        count("refusals", inbox=inbox)

    await save_halving(rows, write, refuse)
    return len(rows) - refused
