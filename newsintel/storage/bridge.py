"""The crossing from trio to asyncio: the only user of trio_asyncio, one loop per process.

What crosses is a whole operation (acquire, transaction, release in one asyncio function), never a context manager: that leaked 5 of 10
connections under random cancels. An operation runs as a task of the loop, where no trio cancel reaches it; the caller merely waits, and
may leave. So an operation must end by its own timeouts, and a write must be idempotent, because it may commit after its caller has left.

Signs of a missing crossing: `'NoneType' object has no attribute …` (no loop is open) and "unrecognized yield message" (an asyncio
coroutine was awaited directly).
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
from newsintel.runtime.asker import Asker
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.storage.slots import Rules, Slots

log = get_logger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

LOSSES = (OSError, EOFError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError, RedisError)
"""What the drivers raise when a connection or its server goes away."""

DRAIN_S = 1.0
"""How long closing waits for operations in the air: half of the 2 s that bridge and servers share. What is left is cancelled."""


class Lane:
    """A store's share of the bridge: a few operations at once, so a frozen store holds up neither memory nor the other store."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, rules: Rules) -> None:
        self._loop = loop
        self._name = name
        self._slots = Slots(name, rules)
        self._running: dict[asyncio.Task[Any], trio.Event] = {}

    @property
    def running(self) -> int:
        """Slots taken now."""
        return self._slots.held

    async def run(self, operation: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> T:
        """Run one whole asyncio operation; it goes on to its end even if the caller is cancelled.

        Raises:
            BusyError: no slot is free, or becomes so in time; nothing was started.
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

    def _release(self, asker: Asker, task: asyncio.Task[Any]) -> None:
        """Free the slot with the task's own end, whether or not anybody still waits."""
        if not task.cancelled():
            task.exception()  # asyncio complains of an exception that nobody looked at, as when the caller has left
        self._running.pop(task).set()
        self._slots.give_back(asker)

    async def idle(self) -> None:
        """Wait until every operation that runs now has ended."""
        for done in tuple(self._running.values()):
            await done.wait()


class Bridge:
    """The loop, and the lanes over it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lanes: list[Lane] = []

    def lane(self, name: str, rules: Rules | int) -> Lane:
        """A further lane; `name` is the store's, for messages. A number of slots alone: for anybody, without waiting."""
        self._lanes.append(Lane(self._loop, name, Rules(rules) if isinstance(rules, int) else rules))
        return self._lanes[-1]

    async def idle(self) -> None:
        """Wait until every lane is."""
        for lane in self._lanes:
            await lane.idle()


def _overheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Judge an error that no operation of ours was told of: it comes from a task or callback that a driver started for itself.

    A connection that breaks while its driver tidies it up costs nobody anything; trio-asyncio's own answer is to end the process. A
    complaint without an exception has failed nothing: asyncpg has one for each connection that comes back within a transaction, as when a
    commit or rollback was cut off by its limit of time, and then rolls back by itself. Whatever else turns up here is a bug, and does
    end the process.
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
    """Open the loop. It must lie outside every nursery whose tasks use it, or their cleanup finds it closed.

    Owns: the loop and every operation on it. Leaving waits DRAIN_S for operations in the air, then cancels them.
    """
    async with trio_asyncio.open_loop() as loop:
        loop.set_exception_handler(_overheard)
        bridge = Bridge(loop)
        try:
            yield bridge
        finally:
            with trio.move_on_after(DRAIN_S, shield=True):
                await bridge.idle()
