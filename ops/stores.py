"""A PostgreSQL and a Redis as a platform offers them: at an address, with a password.

They run the binaries of the embedded development servers.
"""

import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from attrs import frozen

from newsintel.storage.embedded.postgres_daemon import PostgresDaemon
from newsintel.storage.embedded.redis_daemon import RedisDaemon
from ops.processes import (
    CheckFailedError,
    RunningProcess,
    build_clean_environ,
    find_free_port,
    run_process,
    run_to_end,
    wait_until,
)

START_S = 60.0


@frozen
class ExternalStores:
    """The running stores and how to connect to them.

    Attributes:
        settings: settings (names without NEWSINTEL_) that make the service use them.
    """

    settings: dict[str, str]
    postgres: RunningProcess
    redis: RunningProcess


@asynccontextmanager
async def run_external_stores(folder: Path) -> AsyncIterator[ExternalStores]:
    """Run both while the block runs.

    Args:
        folder: for their data and logs; it must exist.

    Raises:
        CheckFailedError: a store did not start.
    """
    password, ports = secrets.token_hex(16), (find_free_port(), find_free_port())
    async with (
        _run_postgres(folder, password, ports[0]) as postgres,
        _run_redis(folder, password, ports[1]) as redis,
    ):
        settings = {
            "DATABASE_URL": f"postgresql://newsintel@127.0.0.1:{ports[0]}/postgres",
            "DATABASE_PASSWORD": password,
            "REDIS_URL": f"redis://127.0.0.1:{ports[1]}/0",
            "REDIS_PASSWORD": password,
        }
        yield ExternalStores(settings, postgres, redis)


@asynccontextmanager
async def _run_postgres(folder: Path, password: str, port: int) -> AsyncIterator[RunningProcess]:
    daemon, home, word = PostgresDaemon(folder, folder), folder / "cluster", folder / "password"
    word.write_text(password, encoding="ascii")
    made = await run_to_end(
        "initdb",
        (
            *daemon.find_tool("initdb"),
            "-D",
            home,
            "-U",
            "newsintel",
            "--auth=scram-sha-256",
            f"--pwfile={word}",
            "--no-sync",
            "--locale=C",
        ),
        build_clean_environ(),
        folder,
        START_S,
    )
    if made.process.returncode:
        raise CheckFailedError(f"initdb failed:\n{made.read_output()}")
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "timezone": "UTC",
    }
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    command = (*daemon.find_tool("postgres"), "-D", home, "-p", str(port), *words)
    # After SIGTERM PostgreSQL would wait until its clients disconnect.
    async with run_process(
        "postgres", command, build_clean_environ(), folder, signal.SIGINT
    ) as started:
        await wait_until(lambda: _is_listening(port), START_S, "a connection to PostgreSQL")
        yield started


@asynccontextmanager
async def _run_redis(folder: Path, password: str, port: int) -> AsyncIterator[RunningProcess]:
    program = RedisDaemon(folder, folder).find_program()
    options = {
        "bind": "127.0.0.1",
        "port": port,
        "requirepass": password,
        "save": "",
        "appendonly": "no",
        "dir": folder,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    async with run_process("redis", (program, *words), build_clean_environ(), folder) as started:
        await wait_until(lambda: _is_listening(port), START_S, "a connection to Redis")
        yield started


async def _is_listening(port: int) -> bool:
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True
