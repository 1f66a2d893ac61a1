"""Redis servers for one test, in any state: processes on unix sockets, ended by their pid."""

import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from attrs import frozen
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from newsintel.storage.embedded.redis_daemon import RedisDaemon
from tests.waiting import PATIENCE_S


@frozen
class RedisServer:
    """A server, and an independent client of redis-py."""

    socket: str
    client: Redis

    def run(self, *words: str | int) -> Any:
        """Run one command."""
        return self.client.execute_command(*words)

    def accepts(self) -> bool:
        """Whether it answers; a refusal counts too, because the test checks which one."""
        try:
            self.run("PING")
        except RedisError as error:
            return bool(error.status_code) or isinstance(error, ResponseError)
        return True


@asynccontextmanager
async def redis_server(
    folder: Path, program: str | None = None, **options: str | int
) -> AsyncIterator[RedisServer]:
    """Run a server in its own folder until the block ends.

    Options are those of redis.conf, with `_` for `-`.
    """
    folder.mkdir()  # noqa: ASYNC240 - a moment
    socket = str(folder / "s")
    known: Mapping[str, str | int] = {
        "port": 0,
        "unixsocket": socket,
        "dir": str(folder),
        "save": "",
        "logfile": str(folder / "log"),
    }
    words = [
        word
        for name, value in (known | options).items()
        for word in ("--" + name.replace("_", "-"), str(value))
    ]
    command = [program or RedisDaemon(folder, folder).find_program(), *words]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: ASYNC220
    client = Redis(unix_socket_path=socket, socket_timeout=PATIENCE_S, retry=Retry(NoBackoff(), 0))
    server = RedisServer(socket, client)
    try:
        with trio.fail_after(PATIENCE_S):
            while not server.accepts():  # noqa: ASYNC110 - a server does not say when it is ready
                await trio.sleep(0.02)
        yield server
    finally:
        client.close()
        process.kill()
        process.wait()
