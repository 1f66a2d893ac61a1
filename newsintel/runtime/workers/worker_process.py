"""A worker's process: how it is started, what it inherits and how it is ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import trio
from attrs import frozen

import newsintel
from newsintel.errors import WorkersFailedError
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.workers.handover import Handover

log = get_logger(__name__)

END_NOW_S = 2.0
"""How long a worker that must end at once may still take before it is killed."""

PROGRAM: Sequence[str] = ("-P", "-m", "newsintel")
"""The arguments of Python for this program. -P: a folder named `newsintel` where the command was
started must not be taken for the package."""


@frozen
class Sockets:
    """What all workers inherit: listening sockets, and the memory of `connection_counts`.

    The supervisor accepts no connection.
    """

    public: Sequence[trio.SocketListener]
    metrics: Sequence[trio.SocketListener]
    counts: int

    def close(self) -> None:
        """Close the supervisor's own copies of the sockets; without effect if they are closed."""
        for listener in (*self.public, *self.metrics):
            listener.socket.close()


async def run_worker_process(
    number: int,
    channel: int,
    sockets: Sockets,
    build_arguments: Callable[[Handover], Sequence[str]],
    *,
    task_status: trio.TaskStatus[trio.Process],
) -> None:
    """Run a worker's process; a cancel ends it.

    It has a session of its own: Ctrl-C in a terminal reaches the supervisor, which drains.
    """
    handover = Handover(
        number,
        channel,
        sockets.counts,
        [listener.socket.fileno() for listener in sockets.public],
        [listener.socket.fileno() for listener in sockets.metrics],
    )
    try:
        await trio.run_process(
            [sys.executable, *PROGRAM, *build_arguments(handover)],
            check=False,
            stdin=subprocess.DEVNULL,
            env=_build_environ(os.environ),
            pass_fds=handover.descriptors,
            start_new_session=True,
            deliver_cancel=_end_process,
            task_status=task_status,
        )
    except OSError as error:
        raise WorkersFailedError(f"cannot be started: {error.strerror or error}") from error


def describe_exit(code: int) -> str:
    """Describe an exit code of `subprocess`, where -n means signal n."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _build_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return a worker's environment: this one, in which Python finds this very package."""
    root = str(Path(newsintel.__file__).parents[1])
    return {
        **environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (root, environ.get("PYTHONPATH")))),
    }


async def _end_process(process: trio.Process) -> None:
    """End a process at once, with SIGKILL if it is still there after END_NOW_S."""
    process.terminate()
    await trio.sleep(END_NOW_S)
    log.warning("worker_killed", pid=process.pid)
    process.kill()
