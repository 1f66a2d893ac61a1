"""The faults of a chaos run: each is a context in which a dependency fails in one way."""

import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from random import Random
from typing import Any

import httpx
import trio
from attrs import frozen

from benchmarks.chaos.database import run_on_database
from benchmarks.chaos.history import History, Part
from benchmarks.chaos.proxy import Mode, Proxy
from benchmarks.chaos.world import SOURCES, World
from benchmarks.rig import list_children
from newsintel.storage.embedded.daemon import Daemon

QUIET_S = (2.0, 6.0)
FAULT_S = (4.0, 12.0)
"""Shortest and longest time without and with a fault."""
DOUBLE = 0.2
"""Share of faults beside which a second one runs."""

SOURCE_FAULTS: Mapping[str, Mapping[str, object]] = {
    name: {"fault": name}
    for name in ("hang", "drip", "429", "500", "503", "reset", "truncated", "html", "gzip_bomb")
} | {"slow": {"latency_ms": 900}, "every other": {"fault": "500", "fault_rate": 0.5}}


FULL = {"maxmemory": "1", "maxmemory-policy": "noeviction"}
READ_ONLY = {"min-replicas-to-write": "1"}
"""Redis refuses writes while it has fewer replicas (NOREPLICAS)."""
NORMAL = {"maxmemory": "256mb", "maxmemory-policy": "volatile-ttl", "min-replicas-to-write": "0"}


@frozen
class Fault:
    """One way in which a part fails.

    Attributes:
        name: for people.
        part: what fails.
        run: a context; the part fails while it is open.
    """

    name: str
    part: Part
    run: Callable[[], AbstractAsyncContextManager[None]]


def list_faults(world: World) -> list[Fault]:
    """Return all faults of the matrix that this machine can make."""
    return [
        *_list_server_faults(Part.POSTGRES, world.postgres_proxy, world.postgres),
        *_list_server_faults(Part.REDIS, world.redis_proxy, world.redis),
        Fault("postgresql read-only", Part.POSTGRES, partial(_make_read_only, world.database)),
        Fault("redis full", Part.REDIS, partial(_configure, world, FULL)),
        Fault("redis read-only", Part.REDIS, partial(_configure, world, READ_ONLY)),
        *_list_source_faults(world),
    ]


def _list_server_faults(part: Part, proxy: Proxy, server: Daemon) -> list[Fault]:
    return [
        *(
            Fault(f"{part.value} {mode.value}", part, partial(_break_network, proxy, mode))
            for mode in Mode
            if mode is not Mode.WORK
        ),
        Fault(f"{part.value} frozen", part, partial(_freeze, server)),
        Fault(f"{part.value} killed", part, partial(_kill, server)),
    ]


def _list_source_faults(world: World) -> list[Fault]:
    return [
        Fault(f"{name} {fault}", part, partial(_misbehave, world, sources, behaviour))
        for fault, behaviour in SOURCE_FAULTS.items()
        for name, part, sources in (
            *((source, Part.SOURCE, (source,)) for source in SOURCES),
            ("all sources", Part.SOURCES, SOURCES),
        )
    ]


async def make_faults(world: World, history: History, random: Random) -> None:
    """Make one fault after the other, at random times, until cancelled.

    Each part fails equally often, and never in two ways at once.
    """
    faults = list_faults(world)
    while True:
        await trio.sleep(random.uniform(*QUIET_S))
        parts = random.sample(list(Part)[:3], 2 if random.random() < DOUBLE else 1)
        async with trio.open_nursery() as both:
            for part in parts:
                wanted = {Part.SOURCE, Part.SOURCES} if part is Part.SOURCE else {part}
                fault = random.choice([one for one in faults if one.part in wanted])
                both.start_soon(_make_fault, fault, history, random.uniform(*FAULT_S))


async def _make_fault(fault: Fault, history: History, seconds: float) -> None:
    history.begin_fault(fault.name, fault.part, trio.current_time())
    try:
        async with fault.run():
            await trio.sleep(seconds)
    finally:
        history.end_fault(fault.part, trio.current_time())


@asynccontextmanager
async def _break_network(proxy: Proxy, mode: Mode) -> AsyncIterator[None]:
    await proxy.set_mode(mode)
    try:
        yield
    finally:
        with trio.CancelScope(shield=True):
            await proxy.set_mode(Mode.WORK)


@asynccontextmanager
async def _freeze(server: Daemon) -> AsyncIterator[None]:
    pids = _list_family(server)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def _kill(server: Daemon) -> AsyncIterator[None]:
    if (pid := server.find_pid()) is not None:
        os.kill(pid, signal.SIGKILL)
    try:
        yield
    finally:
        with trio.CancelScope(shield=True):
            await server.ensure()


@asynccontextmanager
async def _make_read_only(database: str) -> AsyncIterator[None]:
    await _run_sql(database, "ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        yield
    finally:
        with trio.CancelScope(shield=True):
            await _run_sql(
                database,
                "SET default_transaction_read_only = off",
                "ALTER SYSTEM RESET default_transaction_read_only",
            )


@asynccontextmanager
async def _configure(world: World, settings: Mapping[str, str]) -> AsyncIterator[None]:
    await _set_redis(world.redis_socket, settings)
    try:
        yield
    finally:
        with trio.CancelScope(shield=True):
            await _set_redis(world.redis_socket, NORMAL)


@asynccontextmanager
async def _misbehave(
    world: World, sources: Sequence[str], behaviour: Mapping[str, object]
) -> AsyncIterator[None]:
    async with httpx.AsyncClient(base_url=world.control_url, trust_env=False) as client:
        before = {source: (await client.get(f"/{source}")).json() for source in sources}
        for source in sources:
            (await client.put(f"/{source}", json=dict(behaviour))).raise_for_status()
        try:
            yield
        finally:
            with trio.CancelScope(shield=True):
                for source, normal in before.items():
                    del normal["calls"]
                    (await client.put(f"/{source}", json=normal)).raise_for_status()


def _list_family(server: Daemon) -> list[int]:
    """Return a server's process and its children."""
    pid = server.find_pid()
    return [] if pid is None else [pid, *list_children(pid)]


async def _run_sql(database: str, *statements: str) -> None:
    async def run(connection: Any) -> None:
        for statement in (*statements, "SELECT pg_reload_conf()"):
            await connection.execute(statement)

    await run_on_database(database, run)


async def _set_redis(path: str, settings: Mapping[str, str]) -> None:
    async with await trio.open_unix_socket(path) as stream:
        for name, value in settings.items():
            await stream.send_all(f"CONFIG SET {name} {value}\r\n".encode())
            if not (await stream.receive_some(100)).startswith(b"+OK"):
                raise RuntimeError(f"Redis refused CONFIG SET {name} {value}")
