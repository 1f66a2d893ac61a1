"""Starts the workers, restarts those that end by themselves, and ends all of them together."""

import signal
import socket
from collections.abc import Callable, Sequence
from functools import partial

import trio
from attrs import define

from newsintel.domain.bounds.restart_budget import RestartBudget
from newsintel.errors import WorkersFailedError
from newsintel.runtime.lifecycle import END_SLACK_S
from newsintel.runtime.make_once import MakeOnce
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.runtime.workers.channel import Channel, Kind
from newsintel.runtime.workers.connection_counts import ConnectionCounts
from newsintel.runtime.workers.handover import Handover
from newsintel.runtime.workers.merged_metrics import MergedMetrics
from newsintel.runtime.workers.worker_process import (
    Sockets,
    describe_exit,
    run_worker_process,
)

log = get_logger(__name__)

RESTARTS, RESTARTS_IN_S = 3, 60.0
"""Restarts of all workers together in any RESTARTS_IN_S. More mean that restarting does not help:
then the service ends, and its platform decides.
"""

SCRAPE_S = 1.0
"""How long a worker may take to answer with its metrics. No step of its loop may take 5 ms."""


@define(eq=False)
class _Member:
    """A running worker."""

    channel: Channel
    process: trio.Process | None = None
    serving: bool = False


class Supervisor:
    """Keeps a number of workers running.

    Args:
        workers: how many.
        sockets: what they inherit; closed when the shutdown begins.
        build_arguments: returns the arguments of newsintel for a worker with a handover.
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
        build_arguments: Callable[[Handover], Sequence[str]],
        drain_s: float,
    ) -> None:
        self.all_serving, self.ending = trio.Event(), trio.Event()
        self._workers = workers
        self._sockets = sockets
        self._build_arguments = build_arguments
        self._drain_s = drain_s
        self._members: dict[int, _Member] = {}
        self._metrics = MergedMetrics()
        self._budget = RestartBudget(RESTARTS, RESTARTS_IN_S)
        self._failure: WorkersFailedError | None = None
        self._lives = trio.CancelScope()
        self._starting = trio.Lock()
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

    def request_trees(self) -> None:
        """Let each worker log its tasks."""
        for member in self._members.values():
            if member.serving and member.process is not None:
                member.process.send_signal(signal.SIGUSR1)

    async def collect_metrics(self) -> bytes:
        """Return the metrics of all workers as one exposition."""
        return await self._collecting.make(None, self._collect)

    async def _drain_at_end(self) -> None:
        await self.ending.wait()
        async with self._starting:
            self._sockets.close()
        async with trio.open_nursery() as nursery:  # one that reads nothing delays no other
            for member in self._members.values():
                nursery.start_soon(member.channel.notify, Kind.DRAIN)

    async def _keep_worker(self, number: int) -> None:
        """Run a worker, and another one after it, until the shutdown begins or it is hopeless."""
        while not self.ending.is_set():
            reason = await self._run_worker(number)
            if self.ending.is_set():
                return
            log.error("worker_ended", worker=number, reason=reason)
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

    async def _run_worker(self, number: int) -> str:
        """Run one worker to its end; return how it ended."""
        ours, theirs = socket.socketpair()
        channel = Channel(trio.SocketStream(trio.socket.from_stdlib_socket(ours)))
        member = self._members[number] = _Member(channel)
        serving = partial(self._note_serving, member)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(
                    partial(channel.run, on_notice=serving, read_metrics=self.collect_metrics)
                )
                try:
                    with theirs:
                        process = await self._start_process(nursery, number, theirs.fileno())
                    member.process = process
                    if self.ending.is_set():  # it began while the process was started
                        await channel.notify(Kind.DRAIN)
                    reason = describe_exit(await process.wait())
                except WorkersFailedError as error:
                    reason = str(error)
                nursery.cancel_scope.cancel()
        finally:
            ConnectionCounts(self._sockets.counts, number).leave()
            del self._members[number]
            self._metrics.retire(number)
        return reason

    async def _start_process(
        self, nursery: trio.Nursery, number: int, channel: int
    ) -> trio.Process:
        """Start a worker's process. The sockets that it inherits stay open meanwhile."""
        start = partial(run_worker_process, number, channel, self._sockets, self._build_arguments)
        async with self._starting:
            process: trio.Process = await nursery.start(start)
        return process

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
