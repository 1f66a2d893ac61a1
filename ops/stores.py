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

from newsintel.storage.embedded.daemons import PostgresDaemon, RedisDaemon
from ops.processes import BrokenPromiseError, Running, clean_environ, finished, free_port, running, until

START_S = 60.0


@frozen
class ExternalStores:
    """The running stores and how to connect to them.

    Attributes:
        settings: settings (names without NEWSINTEL_) that make the service use them.
    """

    settings: dict[str, str]
    postgres: Running
    redis: Running


@asynccontextmanager
async def external_stores(folder: Path) -> AsyncIterator[ExternalStores]:
    """Run both while the block runs.

    Args:
        folder: for their data and logs; it must exist.

    Raises:
        BrokenPromiseError: a store did not start.
    """
    password, ports = secrets.token_hex(16), (free_port(), free_port())
    async with _postgres(folder, password, ports[0]) as postgres, _redis(folder, password, ports[1]) as redis:
        settings = {
            "DATABASE_URL": f"postgresql://newsintel@127.0.0.1:{ports[0]}/postgres",
            "DATABASE_PASSWORD": password,
            "REDIS_URL": f"redis://127.0.0.1:{ports[1]}/0",
            "REDIS_PASSWORD": password,
        }
        yield ExternalStores(settings, postgres, redis)


@asynccontextmanager
async def _postgres(folder: Path, password: str, port: int) -> AsyncIterator[Running]:
    daemon, home, word = PostgresDaemon(folder, folder), folder / "cluster", folder / "password"
    word.write_text(password, encoding="ascii")
    made = await finished(
        "initdb",
        (*daemon.tool("initdb"), "-D", home, "-U", "newsintel", "--auth=scram-sha-256", f"--pwfile={word}", "--no-sync", "--locale=C"),
        clean_environ(),
        folder,
        START_S,
    )
    if made.process.returncode:
        raise BrokenPromiseError(f"initdb failed:\n{made.output()}")
    options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "timezone": "UTC"}
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    command = (*daemon.tool("postgres"), "-D", home, "-p", str(port), *words)
    # After SIGTERM PostgreSQL would wait until its clients disconnect.
    async with running("postgres", command, clean_environ(), folder, signal.SIGINT) as started:
        await until(lambda: _accepts(port), START_S, "a connection to PostgreSQL")
        yield started


@asynccontextmanager
async def _redis(folder: Path, password: str, port: int) -> AsyncIterator[Running]:
    program = RedisDaemon(folder, folder).program()
    options = {"bind": "127.0.0.1", "port": port, "requirepass": password, "save": "", "appendonly": "no", "dir": folder}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    async with running("redis", (program, *words), clean_environ(), folder) as started:
        await until(lambda: _accepts(port), START_S, "a connection to Redis")
        yield started


async def _accepts(port: int) -> bool:
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True
