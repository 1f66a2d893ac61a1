"""The bridge from trio to asyncio: the only user of trio_asyncio, with one loop per process.

Only whole operations cross the bridge (acquire, transaction and release in one asyncio function),
never a context manager: with context managers, random cancels leaked 5 of 10 connections. An
operation runs as a task of the asyncio loop, where no trio cancel reaches it. The caller only waits
for it and may be cancelled. Therefore an operation must end by its own timeouts, and a write must
be idempotent: it may commit after its caller was cancelled.

Code that does not use the bridge fails with `'NoneType' object has no attribute …` (no loop is
open) or "unrecognized yield message" (an asyncio coroutine was awaited directly).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

import asyncpg
import trio
import trio_asyncio
from redis.exceptions import RedisError

from newsintel.errors import UnavailableError
from newsintel.runtime.asker import StoreUser
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.storage.slots import Rules, Slots

log = get_logger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

LOSSES = (
    OSError,
    EOFError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresError,
    RedisError,
)
"""What the drivers raise when a connection is lost or its server stops."""

LOOK_UPS = 64
"""Look-ups of hosts that run at once: twice as many as there are connections to the stores."""

DRAIN_S = 1.0
"""Seconds that closing waits for running operations: half of the 2 s that bridge and servers share.
Operations that still run then are cancelled.
"""


class Lane:
    """A store's share of the bridge, limited to a few operations at once.

    So a frozen store neither fills the memory nor blocks the other store.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, rules: Rules) -> None:
        self._loop = loop
        self._name = name
        self._slots = Slots(name, rules)
        self._running: dict[asyncio.Task[Any], trio.Event] = {}

    @property
    def running(self) -> int:
        """Number of slots in use."""
        return self._slots.held

    async def run(self, operation: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        """Run one whole asyncio operation. It runs to its end even if the caller is cancelled.

        Raises:
            BusyError: no slot became free in time; the operation was not started.
            UnavailableError: the operation was cancelled from the asyncio side.
        """
        asker = await self._slots.take()
        done = trio.Event()
        task = self._loop.create_task(operation(*args))
        self._running[task] = done
        task.add_done_callback(partial(self._release, asker))
        await done.wait()
        if task.cancelled():
            raise UnavailableError(f"{self._name}: the operation was cancelled")
        return task.result()

    def _release(self, asker: StoreUser, task: asyncio.Task[Any]) -> None:
        """Free the slot when the task ends, even if its caller has left."""
        if not task.cancelled():
            # If the caller has left, nobody else reads the exception, and asyncio would report it.
            task.exception()
        self._running.pop(task).set()
        self._slots.give_back(asker)

    async def wait_until_idle(self) -> None:
        """Wait until every operation that runs now has ended."""
        for done in tuple(self._running.values()):
            await done.wait()


class Bridge:
    """The asyncio loop and its lanes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lanes: list[Lane] = []

    def add_lane(self, name: str, rules: Rules | int) -> Lane:
        """Add a lane.

        Args:
            name: the store's name, for messages.
            rules: how slots are given out; a number is that many slots, for anybody and without
                waiting.
        """
        self._lanes.append(
            Lane(self._loop, name, Rules(rules) if isinstance(rules, int) else rules)
        )
        return self._lanes[-1]

    async def wait_until_idle(self) -> None:
        """Wait until no lane has a running operation."""
        for lane in self._lanes:
            await lane.wait_until_idle()


class _LookUps(trio_asyncio.TrioExecutor):  # type: ignore[misc]  # it has no types
    """Looks up the stores' hosts, which is all that the drivers do in threads.

    A resolver may take half a minute. A caller that gives up does not wait for it, and neither does
    closing; and the threads are not those of the rest of the service.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=LOOK_UPS)

    async def submit(self, func: Callable[[*Ts], T], *args: *Ts) -> T:
        return await trio.to_thread.run_sync(
            func, *args, limiter=self._limiter, abandon_on_cancel=True
        )


def _handle_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Handle errors outside our operations: from tasks and callbacks that a driver started.

    By default trio-asyncio ends the process on each of them. A connection that breaks while its
    driver closes it is harmless, so it is only logged. A message without an exception means that
    nothing failed: asyncpg sends one for each connection that is released inside a transaction (for
    example after a timeout of commit or rollback), and then rolls back by itself. Any other error
    is a bug and ends the process.
    """
    error = context.get("exception")
    if error is None:
        log.warning("driver_complains", reason=context["message"])
    elif isinstance(error, LOSSES):
        log.warning("driver_lost_connection", kind=type(error).__name__, reason=str(error))
    else:
        loop.default_exception_handler(context)


@asynccontextmanager
async def open_bridge() -> AsyncIterator[Bridge]:
    """Open the loop.

    Open it outside every nursery whose tasks use it, or their cleanup finds it closed.

    Owns: the loop and every operation on it. Leaving waits DRAIN_S for running operations, then
    cancels them.
    """
    async with trio_asyncio.open_loop() as loop:
        loop.set_exception_handler(_handle_loop_error)
        loop.set_default_executor(_LookUps())
        bridge = Bridge(loop)
        try:
            yield bridge
        finally:
            with trio.move_on_after(DRAIN_S, shield=True):
                await bridge.wait_until_idle()
