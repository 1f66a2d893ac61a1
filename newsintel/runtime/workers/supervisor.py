"""Starts the workers, restarts those that end by themselves, and ends all of them together."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import trio
from attrs import define, frozen

import newsintel
from newsintel.domain.bounds.restart_budget import RestartBudget
from newsintel.errors import WorkersFailedError
from newsintel.runtime.lifecycle import END_SLACK_S
from newsintel.runtime.make_once import MakeOnce
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.workers.channel import Channel, Kind
from newsintel.runtime.workers.connection_counts import ConnectionCounts
from newsintel.runtime.workers.handover import Handover
from newsintel.runtime.workers.merged_metrics import MergedMetrics

log = get_logger(__name__)

RESTARTS, RESTARTS_IN_S = 3, 60.0
"""Restarts of all workers together in any RESTARTS_IN_S. More mean that restarting does not help:
then the service ends, and its platform decides.
"""

END_NOW_S = 2.0
"""How long a worker that must end at once may still take before it is killed."""

SCRAPE_S = 1.0
"""How long a worker may take to answer with its metrics. No step of its loop may take 5 ms."""

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

    async def close(self) -> None:
        """Close the supervisor's own copies."""
        for listener in (*self.public, *self.metrics):
            await listener.aclose()


@define(eq=False)
class _Member:
    """A running worker."""

    channel: Channel
    serving: bool = False


class Supervisor:
    """Keeps a number of workers running.

    Args:
        workers: how many.
        sockets: what they inherit; closed when the shutdown begins.
        arguments: the arguments of newsintel for a worker with a handover.
        drain_s: how long a worker's shutdown may take. END_SLACK_S later it ends itself; the
            supervisor ends what is left then.

    Attributes:
        all_serving: set when all workers serve for the first time.
        ending: set when the shutdown has begun.
    """

    def __init__(
        self,
        workers: int,
        sockets: Sockets,
        arguments: Callable[[Handover], Sequence[str]],
        drain_s: float,
    ) -> None:
        self.all_serving, self.ending = trio.Event(), trio.Event()
        self._workers = workers
        self._sockets = sockets
        self._arguments = arguments
        self._drain_s = drain_s
        self._members: dict[int, _Member] = {}
        self._metrics = MergedMetrics()
        self._budget = RestartBudget(RESTARTS, RESTARTS_IN_S)
        self._failure: WorkersFailedError | None = None
        self._lives = trio.CancelScope()
        self._collecting: MakeOnce[None, bytes] = MakeOnce()

    async def run(self) -> None:
        """Run the workers until a shutdown has ended all of them.

        Raises:
            WorkersFailedError: a worker ended before all served, or too many restarts did not help.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._drain_at_end)
            with self._lives:
                async with trio.open_nursery() as lives:
                    for number in range(1, self._workers + 1):
                        lives.start_soon(self._keep_worker, number)
            nursery.cancel_scope.cancel()
        if self._failure is not None:
            raise self._failure

    def begin_drain(self) -> None:
        """End all workers in order; those that do not end in time are ended at once."""
        self._lives.deadline = trio.current_time() + self._drain_s + END_SLACK_S
        self.ending.set()

    async def collect_metrics(self) -> bytes:
        """Return the metrics of all workers as one exposition."""
        return await self._collecting.make(None, self._collect)

    async def _drain_at_end(self) -> None:
        await self.ending.wait()
        await self._sockets.close()
        for member in tuple(self._members.values()):
            await member.channel.notify(Kind.DRAIN)

    async def _keep_worker(self, number: int) -> None:
        """Run a worker, and another one after it, until the shutdown begins or it is hopeless."""
        while not self.ending.is_set():
            code = await self._run_worker(number)
            if self.ending.is_set():
                return
            reason = describe_exit(code)
            log.error("worker_ended", worker=number, exit_code=code, reason=reason)
            if not self.all_serving.is_set():
                self._fail(f"worker {number} ended before it served: {reason}")
            elif not self._budget.take(trio.current_time()):
                self._fail(
                    f"worker {number} ended ({reason}), after {RESTARTS} restarts "
                    f"in {RESTARTS_IN_S:g} s"
                )
            else:
                self._metrics.restarts += 1

    def _fail(self, message: str) -> None:
        self._failure = self._failure or WorkersFailedError(message)
        self.begin_drain()

    async def _run_worker(self, number: int) -> int:
        """Run one worker to its end; return its exit code."""
        ours, theirs = socket.socketpair()
        channel = Channel(trio.SocketStream(trio.socket.from_stdlib_socket(ours)))
        member = self._members[number] = _Member(channel)
        serving = partial(self._note_serving, member)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(
                    partial(channel.run, on_notice=serving, read_metrics=self.collect_metrics)
                )
                with theirs:
                    process: trio.Process = await nursery.start(
                        self._run_process, number, theirs.fileno()
                    )
                if self.ending.is_set():  # it began while the process was started
                    await channel.notify(Kind.DRAIN)
                code = await process.wait()
                nursery.cancel_scope.cancel()
        finally:
            ConnectionCounts(self._sockets.counts, number).leave()
            del self._members[number]
            self._metrics.retire(number)
        return code

    async def _run_process(
        self, number: int, channel: int, task_status: trio.TaskStatus[trio.Process]
    ) -> None:
        """Run a worker's process; a cancel ends it.

        It has a session of its own: Ctrl-C in a terminal reaches the supervisor, which drains.
        """
        handover = Handover(
            number,
            channel,
            self._sockets.counts,
            [listener.socket.fileno() for listener in self._sockets.public],
            [listener.socket.fileno() for listener in self._sockets.metrics],
        )
        try:
            await trio.run_process(
                [sys.executable, *PROGRAM, *self._arguments(handover)],
                check=False,
                stdin=subprocess.DEVNULL,
                env=_build_environ(os.environ),
                pass_fds=handover.descriptors,
                start_new_session=True,
                deliver_cancel=_end_process,
                task_status=task_status,
            )
        except OSError as error:
            raise WorkersFailedError(
                f"cannot start worker {number}: {error.strerror or error}"
            ) from error

    def _note_serving(self, member: _Member) -> None:
        member.serving = True
        if sum(one.serving for one in self._members.values()) == self._workers:
            self.all_serving.set()

    async def _collect(self) -> bytes:
        answered: set[int] = set()

        async def ask(number: int, member: _Member) -> None:
            with trio.move_on_after(SCRAPE_S):
                exposition = await member.channel.ask_metrics()
                if exposition is not None and self._members.get(number) is member:
                    self._metrics.note(number, exposition)
                    answered.add(number)

        async with trio.open_nursery() as nursery:
            for number, member in self._members.items():
                nursery.start_soon(ask, number, member)
        serving = sum(member.serving for member in self._members.values())
        return self._metrics.format(answered, serving)


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
