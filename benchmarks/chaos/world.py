"""The service of a chaos run, with its stores, its sources and its people."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import httpx
import trio
from attrs import field, frozen

from benchmarks.chaos.fresh_rows import make_wrapper
from benchmarks.chaos.proxy import Proxy, open_proxy
from benchmarks.rig import FOREIGN_NAMES, UNLIMITED_SETTINGS, find_free_port
from newsintel.demo.server import run_simulated_upstreams
from newsintel.storage.embedded.daemon import Daemon
from newsintel.storage.embedded.postgres_daemon import PostgresDaemon
from newsintel.storage.embedded.redis_daemon import RedisDaemon

SOURCES = ("newsapi", "guardian", "reddit")
PEOPLE = 20
SEARCH_DEADLINE_S = 1.5
"""The default of NEWSINTEL_SEARCH_DEADLINE_S."""
START_S = 60.0
STOP_S = 30.0

SETTINGS = UNLIMITED_SETTINGS | {
    "NEWSINTEL_CACHE_TTL_S": "10",
    "NEWSINTEL_SEARCH_DEADLINE_S": f"{SEARCH_DEADLINE_S:g}",
}


class DurableRedis(RedisDaemon):
    """A Redis that has written what it confirms, so that this survives its SIGKILL.

    With `everysec` it holds back what it writes while a slow disk synchronises, for two seconds at
    most.
    """

    settings: Mapping[str, str | int] = {
        **RedisDaemon.settings,
        "appendonly": "yes",
        "appendfsync": "always",
    }


@frozen
class Person:
    """Somebody with an API key that may write."""

    name: str
    key: str = field(repr=False)


@frozen
class World:
    """Everything that runs.

    Attributes:
        url: of the service.
        pid: of the service.
        database: the address of PostgreSQL itself, not through its proxy.
        postgres, redis: the servers' processes.
        postgres_proxy, redis_proxy: the network in front of each.
        control_url: of the simulated upstreams.
    """

    url: str
    pid: int
    log: Path
    database: str
    postgres: PostgresDaemon
    redis: RedisDaemon
    postgres_proxy: Proxy
    redis_proxy: Proxy
    redis_socket: str
    control_url: str
    people: tuple[Person, ...]


@asynccontextmanager
async def open_world(folder: Path, random: Random) -> AsyncIterator[World]:
    """Start everything, and stop it when the block ends. `random` chooses the new articles."""
    postgres, redis = PostgresDaemon(folder, folder), DurableRedis(folder, folder)
    async with (
        _running(postgres),
        _running(redis),
        run_simulated_upstreams(wrap=make_wrapper(random)) as upstreams,
        open_proxy(f"{folder}/.s.PGSQL.5432") as postgres_proxy,
        open_proxy(f"{folder}/redis.sock") as redis_proxy,
    ):
        environ = (
            _build_environ()
            | upstreams.environ
            | {"NEWSINTEL_SOURCES": ",".join(SOURCES)}
            | SETTINGS
            | {
                "NEWSINTEL_DATABASE_URL": (
                    f"postgresql://newsintel@127.0.0.1:{postgres_proxy.port}/postgres"
                ),
                "NEWSINTEL_REDIS_URL": f"redis://127.0.0.1:{redis_proxy.port}",
                "NEWSINTEL_DATA_DIR": str(folder / "service"),
                "NEWSINTEL_BIND": f"127.0.0.1:{find_free_port()}",
            }
        )
        people = [await _make_person(f"person-{n}", environ) for n in range(PEOPLE)]
        url, log = f"http://{environ['NEWSINTEL_BIND']}", folder / "service.log"
        async with _serve(environ, log, url) as pid:
            yield World(
                url,
                pid,
                log,
                postgres.url,
                postgres,
                redis,
                postgres_proxy,
                redis_proxy,
                f"{folder}/redis.sock",
                upstreams.control_url,
                tuple(people),
            )


@asynccontextmanager
async def _running(server: Daemon) -> AsyncIterator[None]:
    await server.ensure()
    try:
        yield
    finally:
        with trio.CancelScope(shield=True):
            await server.stop()


def _build_environ() -> dict[str, str]:
    """Return our environment without settings of newsintel."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("NEWSINTEL_") and name not in FOREIGN_NAMES
    }


async def _make_person(name: str, environ: Mapping[str, str]) -> Person:
    await _run_command(environ, "new-account", name)
    return Person(name, await _run_command(environ, "new-api-key", name, "--scope", "write"))


async def _run_command(environ: Mapping[str, str], *words: str) -> str:
    command = [sys.executable, "-m", "newsintel", *words]
    done = await trio.run_process(command, env=environ, capture_stdout=True)
    return done.stdout.decode().strip()


@asynccontextmanager
async def _serve(environ: Mapping[str, str], log: Path, url: str) -> AsyncIterator[int]:
    with log.open("wb") as output:
        process = await trio.lowlevel.open_process(
            [sys.executable, "-m", "newsintel", "serve"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        with trio.fail_after(START_S):
            async with httpx.AsyncClient(trust_env=False) as client:
                while not await _is_ready(client, url):  # noqa: ASYNC110 - causes no event
                    await trio.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        with trio.move_on_after(STOP_S, shield=True):
            await process.wait()
        process.kill()


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/health/ready")).status_code == 200
    except httpx.TransportError:
        return False
