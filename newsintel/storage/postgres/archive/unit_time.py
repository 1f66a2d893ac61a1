"""Limits the time of a unit of work."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from newsintel.errors import ArchiveTimeoutError
from newsintel.storage.postgres.failures import TOO_SLOW
from newsintel.storage.postgres.pool import Connection

P = ParamSpec("P")
T = TypeVar("T")

UNIT_S = 1.5
"""Timeout of all commands of one call together. The server has the same timeout for each command.
"""


def limit_time(
    unit: Callable[Concatenate[Connection, P], Awaitable[T]],
) -> Callable[Concatenate[Connection, P], Coroutine[Any, Any, T]]:
    """Limit a unit to UNIT_S; raise ArchiveTimeoutError if it takes longer."""

    async def bounded(connection: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with asyncio.timeout(UNIT_S):
                return await unit(connection, *args, **kwargs)
        except TimeoutError as error:
            raise ArchiveTimeoutError(TOO_SLOW) from error

    return bounded
