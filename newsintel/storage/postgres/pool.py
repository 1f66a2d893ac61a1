"""Runs units of work on PostgreSQL: the connection pool, its limits and its retries.

A unit is an asyncio function that receives a connection and does one complete operation with it.
The pool connects with the first unit, so a server that is down at start is an outage like any
other: no restart is needed.
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
from newsintel.errors import StoreRefusedError, UnavailableError
from newsintel.runtime.asker import use_stores_urgently
from newsintel.storage.bridge import Bridge, Lane
from newsintel.storage.postgres.connecting import CONNECT_S, connect_arguments, set_socket_options
from newsintel.storage.postgres.failures import CONFLICTS, FORESEEN, is_connection_lost, translate
from newsintel.storage.slots import Rules
from newsintel.storage.store_log import StoreLog

P = ParamSpec("P")
T = TypeVar("T")

Connection = Any
"""asyncpg.pool.PoolConnectionProxy, as Any: its annotations disagree with those of Connection."""

COMMAND_S = 2.0
"""Timeout of a single command, also when the server is frozen. The server's own timeouts below are
shorter.
"""

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
"""The longest pause before the first retry; it doubles. Two batches that deadlock block each other
for milliseconds.
"""

PATIENCE_S = 0.25
"""How long a unit waits for a slot: as long as about fifty look-ups, and too short for people to
notice.
"""

IDLE_S = 60.0
CLOSE_S = 0.4
"""How long closing waits for running units before it drops their connections. Then the bridge waits
DRAIN_S until they end.
"""


class Postgres:
    """The pool, behind a lane of the bridge with one slot per connection, by `make_slot_rules`.

    Args:
        lane: runs the units.
        url: where the server is.
        password: replaces the URL's.
        size: number of connections.
        name: of the store, for the log.
    """

    def __init__(
        self, lane: Lane, url: Secret, password: Secret | None, size: int, name: str = "postgresql"
    ) -> None:
        self._lane = lane
        self._url = url
        self._password = password
        self._size = size
        self._connect_s = CONNECT_S
        self._closed = False
        self._log = StoreLog(name)
        self._opening: asyncio.Task[asyncpg.Pool] | None = None

    async def run(
        self,
        unit: Callable[Concatenate[Connection, P], Coroutine[Any, Any, T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a unit that may run twice: it is retried after a conflict or a lost connection.

        Raises:
            UnavailableError: PostgreSQL failed, or did not finish in time.
            PoisonedBatchError: PostgreSQL can never accept this content.
            AccountGoneError: the account was deleted.
        """
        return await self._lane.run(
            self._translate_errors,
            self._run_with_retries,
            lambda connection: unit(connection, *args, **kwargs),
        )

    async def run_once(
        self,
        unit: Callable[Concatenate[Connection, P], Coroutine[Any, Any, T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a unit that must not run twice; raises as `run` does."""
        return await self._lane.run(
            self._translate_errors,
            self._run_on_connection,
            lambda connection: unit(connection, *args, **kwargs),
        )

    @property
    def slots_used(self) -> int:
        """Number of running units."""
        return self._lane.running

    async def ping(self) -> None:
        """Return if PostgreSQL takes writes; raise UnavailableError if not, as on a replica."""
        with use_stores_urgently():
            await self.run(_check_writable)
        self._log.note_success(wrote=True)

    async def _translate_errors(
        self,
        attempt: Callable[..., Coroutine[Any, Any, T]],
        unit: Callable[[Connection], Coroutine[Any, Any, T]],
    ) -> T:
        try:
            result = await attempt(unit)
        except FORESEEN as error:
            failure = translate(error)
            self._log.note_failure(failure)
            raise failure from error
        self._log.note_success()
        return result

    async def _run_with_retries(self, unit: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        conflicts = 0
        reconnected = False
        while True:
            try:
                return await self._run_on_connection(unit)
            except CONFLICTS:
                conflicts += 1
                if conflicts > CONFLICT_RETRIES:
                    raise
            except FORESEEN as error:
                if reconnected or not is_connection_lost(error):
                    raise
                reconnected = True
                continue
            await asyncio.sleep(random.uniform(0, CONFLICT_PAUSE_S * 2 ** (conflicts - 1)))  # noqa: S311 - jitter

    async def _run_on_connection(self, unit: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
        pool = await self._get_pool()
        connected = False
        try:
            async with pool.acquire(timeout=self._connect_s) as connection:
                connected = True
                return await unit(connection)
        except FORESEEN as error:
            # A working server ends long statements itself. So a command that runs into COMMAND_S
            # means that the server is frozen or lost power.
            if is_connection_lost(error) or (connected and isinstance(error, TimeoutError)):
                # The pool's other connections are lost too. No trio cancel reaches this side of the
                # bridge.
                await pool.expire_connections()  # noqa: ASYNC120
            raise

    async def _get_pool(self) -> asyncpg.Pool:
        """Return the pool.

        All units wait for one attempt to open it; after a failure, the next unit tries again.
        """
        if self._closed:
            raise UnavailableError("the PostgreSQL pool is closed")
        if self._opening is None or (
            self._opening.done() and (self._opening.cancelled() or self._opening.exception())
        ):
            self._opening = asyncio.get_running_loop().create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> asyncpg.Pool:
        try:
            url = database_url.parse_database_url(self._url.reveal())
            arguments = connect_arguments(url, self._password, SERVER_SETTINGS)
            self._connect_s = arguments["timeout"]

            async def init(connection: Connection) -> None:
                set_socket_options(connection, url.parameters)

            return await asyncpg.create_pool(
                **arguments,
                init=init,
                min_size=min(2, self._size),
                max_size=self._size,
                command_timeout=COMMAND_S,
                max_inactive_connection_lifetime=IDLE_S,
            )
        except ValueError:  # its text repeats a part of the URL
            raise StoreRefusedError("the URL of PostgreSQL is invalid") from None

    async def close(self) -> None:
        """Wait CLOSE_S for running units, then drop their connections. Runs on the asyncio side."""
        self._closed = True
        if self._opening is None:
            return
        try:
            pool = await asyncio.wait_for(self._opening, CLOSE_S)
        except (*FORESEEN, StoreRefusedError):
            return  # the pool never opened; asyncpg has closed its connections
        try:
            await asyncio.wait_for(pool.close(), CLOSE_S)
        except FORESEEN:
            pool.terminate()


def make_slot_rules(size: int) -> Rules:
    """Return how `size` connections are shared.

    One person may hold a quarter; of two or more, one connection is reserved for urgent units.
    """
    return Rules(size, per_person=ceil(size / 4), reserved=min(1, size - 1), patience_s=PATIENCE_S)


@asynccontextmanager
async def open_postgres(
    bridge: Bridge, url: Secret, password: Secret | None, size: int, *, name: str = "PostgreSQL"
) -> AsyncIterator[Postgres]:
    """Open a pool of `size` connections; `password` replaces the URL's, `name` is for the log.

    It connects with the first unit.

    Owns: the pool's connections. Closing has its own slot, because units on a frozen server may
    hold all others.
    """
    postgres = Postgres(
        bridge.add_lane(name, make_slot_rules(size)), url, password, size, name.lower()
    )
    closing = bridge.add_lane(f"closing {name}", 1)
    try:
        yield postgres
    finally:
        with trio.move_on_after(CLOSE_S * 3, shield=True):
            await closing.run(postgres.close)


async def _check_writable(connection: Connection) -> None:
    if await connection.fetchval("SHOW transaction_read_only") == "on":
        raise ReadOnlySQLTransactionError  # as a write would; see `is_connection_lost`
