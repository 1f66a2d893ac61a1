"""Redis servers of a test's own, in any state: processes on unix sockets, ended by their pid."""

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

from newsintel.storage.embedded.daemons import RedisDaemon
from tests.waiting import PATIENCE_S


@frozen
class RedisServer:
    """A server, and a client of redis-py that is none of ours."""

    socket: str
    client: Redis

    def run(self, *words: str | int) -> Any:
        """Run one command."""
        return self.client.execute_command(*words)

    def accepts(self) -> bool:
        """Whether it answers, be it with a refusal: which one is the test's business."""
        try:
            self.run("PING")
        except RedisError as error:
            return bool(error.status_code) or isinstance(error, ResponseError)
        return True


@asynccontextmanager
async def redis_server(folder: Path, program: str | None = None, **options: str | int) -> AsyncIterator[RedisServer]:
    """Have a server run in a folder of its own for as long as the block does; options as in redis.conf, `_` for `-`."""
    folder.mkdir()  # noqa: ASYNC240 - a moment
    socket = str(folder / "s")
    known: Mapping[str, str | int] = {"port": 0, "unixsocket": socket, "dir": str(folder), "save": "", "logfile": str(folder / "log")}
    words = [word for name, value in (known | options).items() for word in ("--" + name.replace("_", "-"), str(value))]
    process = subprocess.Popen([program or RedisDaemon(folder, folder).program(), *words], stdin=subprocess.DEVNULL)  # noqa: ASYNC220
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
