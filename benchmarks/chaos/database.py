"""Talks to PostgreSQL itself, past the proxy and the service."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
import trio_asyncio

T = TypeVar("T")


async def run_on_database(url: str, work: Callable[[Any], Awaitable[T]]) -> T:
    """Run some work on its own connection."""

    async def run() -> T:
        connection = await asyncpg.connect(url)
        try:
            return await work(connection)
        finally:
            await connection.close()  # noqa: ASYNC102 - asyncio's side of the bridge

    async with trio_asyncio.open_loop():
        found: T = await trio_asyncio.aio_as_trio(run)()
    return found
