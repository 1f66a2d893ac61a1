"""A server for development that runs as a daemon in its own process session.

Ctrl-C in the terminal reaches newsintel, which drains, but not the servers. They listen only on a
unix socket, in a folder that only its owner can enter, and on no port. newsintel trusts a pid file
only if the command line of that process is ours.
"""

import os
import signal
from abc import ABC, abstractmethod
from pathlib import Path
from subprocess import CompletedProcess

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
