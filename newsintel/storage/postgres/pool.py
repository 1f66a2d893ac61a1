"""PostgreSQL as one place to run units of work: a pool, its limits, and what is tried again.

A unit is an asyncio function that is handed a connection and does one whole thing with it. The pool connects with the first unit, so a
server that is away at start is an outage like any other and ends without a restart.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from math import ceil
from typing import Any, Concatenate, ParamSpec, TypeVar

import asyncpg
import trio
from asyncpg.exceptions import ReadOnlySQLTransactionError

from newsintel.config import database_url
from newsintel.config.values import Secret
from newsintel.errors import RefusedError, UnavailableError
from newsintel.runtime.asker import asking_urgently
from newsintel.storage.bridge import Bridge, Lane
from newsintel.storage.postgres.connecting import CONNECT_S, connect_arguments, set_socket_options
from newsintel.storage.postgres.failures import CONFLICTS, FORESEEN, lost, translate
from newsintel.storage.slots import Rules
from newsintel.storage.store_log import StoreLog

P = ParamSpec("P")
T = TypeVar("T")

Connection = Any
"""asyncpg.pool.PoolConnectionProxy: asyncpg's annotations of it and of Connection do not agree."""

COMMAND_S = 2.0
"""No single command outlives this, even if the server is frozen; the server's own limits below come first."""

SERVER_SETTINGS = {
    "application_name": "newsintel",
    "timezone": "UTC",
    "statement_timeout": "1500",  # milliseconds, as the next two
    "lock_timeout": "500",
    "idle_in_transaction_session_timeout": "5000",
    "plan_cache_mode": "force_custom_plan",  # rare and common words want different plans
}

CONFLICT_RETRIES = 3
CONFLICT_PAUSE_S = 0.05
"""The longest pause before the first retry; it doubles. Two batches that deadlock hold each other up for milliseconds."""

PATIENCE_S = 0.25
"""How long a unit waits for a slot: some fifty look-ups long, and too short for anybody to notice."""

IDLE_S = 60.0
CLOSE_S = 0.4
"""How long closing waits for units in the air before it drops their connections; the bridge then waits DRAIN_S for their ends."""


class Postgres:
    """The pool, behind a lane of the bridge that has as many slots as the pool has connections; who may have how many, `rules` says."""

    def __init__(self, lane: Lane, url: Secret, password: Secret | None, size: int) -> None:
        self._lane = lane
        self._url = url
        self._password = password
        self._size = size
        self._connect_s = CONNECT_S
        self._closed = False
        self._log = StoreLog("postgresql")
        self._opening: asyncio.Task[asyncpg.Pool] | None = None

    async def run(self, unit: Callable[Concatenate[Connection, P], Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit that may safely run twice: it is tried again when it lost a conflict or its connection.

        Raises:
            UnavailableError: PostgreSQL did not do it in time, or not at all.
            PoisonedBatchError: what it was given can never be accepted.
            AccountGoneError: the account that it was for is deleted.
        """
        return await self._lane.run(self._translated, self._patiently, lambda connection: unit(connection, *args, **kwargs))

    async def run_once(self, unit: Callable[Concatenate[Connection, P], Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit that must not run twice; raises as `run` does."""
        return await self._lane.run(self._translated, self._once, lambda connection: unit(connection, *args, **kwargs))

    @property
    def slots_used(self) -> int:
        """Units that run now."""
        return self._lane.running

    async def ping(self) -> None:
        """Return if PostgreSQL takes writes; raises UnavailableError if not, as from a replica."""
        with asking_urgently():
            await self.run(_ping)

    async def _translated(self, attempt: Callable[..., Coroutine[Any, Any, T]], unit: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        try:
            result = await attempt(unit)
        except FORESEEN as error:
            failure = translate(error)
            self._log.failed(failure)
            raise failure from error
        self._log.worked()
        return result

    async def _patiently(self, unit: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        conflicts = 0
        reconnected = False
        while True:
            try:
                return await self._once(unit)
            except CONFLICTS:
                conflicts += 1
                if conflicts > CONFLICT_RETRIES:
                    raise
            except FORESEEN as error:
                if reconnected or not lost(error):
                    raise
                reconnected = True
                continue
            await asyncio.sleep(random.uniform(0, CONFLICT_PAUSE_S * 2 ** (conflicts - 1)))  # noqa: S311 - jitter

    async def _once(self, unit: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        pool = await self._pool()
        connected = False
        try:
            async with pool.acquire(timeout=self._connect_s) as connection:
                connected = True
                return await unit(connection)
        except FORESEEN as error:
            # The server ends long statements itself, so what ran out of COMMAND_S leads to one that is frozen or without power.
            if lost(error) or (connected and isinstance(error, TimeoutError)):
                # The others in the pool went the same way. No trio cancel comes to this side of the bridge.
                await pool.expire_connections()  # noqa: ASYNC120
            raise

    async def _pool(self) -> asyncpg.Pool:
        """The pool; units that come while it opens wait for the same attempt, and the next one after a failure tries afresh."""
        if self._closed:
            raise UnavailableError("PostgreSQL is no longer in use here")
        if self._opening is None or (self._opening.done() and (self._opening.cancelled() or self._opening.exception())):
            self._opening = asyncio.get_running_loop().create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> asyncpg.Pool:
        try:
            url = database_url.read(self._url.reveal())
            arguments = connect_arguments(url, self._password, SERVER_SETTINGS)
            self._connect_s = arguments["timeout"]

            async def init(connection: Connection) -> None:
                set_socket_options(connection, url.given)

            return await asyncpg.create_pool(
                **arguments,
                init=init,
                min_size=min(2, self._size),
                max_size=self._size,
                command_timeout=COMMAND_S,
                max_inactive_connection_lifetime=IDLE_S,
            )
        except ValueError:  # whose text repeats a part of the URL
            raise RefusedError("the URL of PostgreSQL cannot be read as one") from None

    async def close(self) -> None:
        """Let units in the air end for CLOSE_S, then drop their connections. Runs on the asyncio side."""
        self._closed = True
        if self._opening is None:
            return
        try:
            pool = await asyncio.wait_for(self._opening, CLOSE_S)
        except (*FORESEEN, RefusedError):
            return  # it never opened, and asyncpg has dropped what it had
        try:
            await asyncio.wait_for(pool.close(), CLOSE_S)
        except FORESEEN:
            pool.terminate()


def rules(size: int) -> Rules:
    """Who may have how many of so many connections: a quarter for one person, all but one for everything that is not urgent."""
    return Rules(size, each=ceil(size / 4), kept=min(1, size - 1), patience_s=PATIENCE_S)


@asynccontextmanager
async def open_postgres(bridge: Bridge, url: Secret, password: Secret | None, size: int) -> AsyncIterator[Postgres]:
    """A pool of `size` connections; `password` replaces the URL's. Connects with the first unit.

    Owns: the pool's connections. Leaving has a slot of its own, because a frozen server takes all others.
    """
    postgres = Postgres(bridge.lane("PostgreSQL", rules(size)), url, password, size)
    closing = bridge.lane("closing PostgreSQL", 1)
    try:
        yield postgres
    finally:
        with trio.move_on_after(CLOSE_S * 3, shield=True):
            await closing.run(postgres.close)


async def _ping(connection: Connection) -> None:
    if await connection.fetchval("SHOW transaction_read_only") == "on":
        raise ReadOnlySQLTransactionError  # as the server would say to a write: `lost` knows what follows
