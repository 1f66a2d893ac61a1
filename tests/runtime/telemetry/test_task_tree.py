"""The tree of tasks in the log."""

import os
import signal

import trio
import trio.testing
from structlog.testing import capture_logs

from newsintel.runtime.backlog import Pace, process_backlog
from newsintel.runtime.telemetry import task_tree
from newsintel.runtime.telemetry.task_tree import (
    MAX_LINE,
    MAX_LINES,
    format_task_tree,
    ignore_request,
    log_on_request,
)
from tests.fakes.basics import Counts
from tests.waiting import until

NAMES = [f"task {number:04d} {'x' * 300}" for number in range(MAX_LINES)]


async def parent():
    """Run an actor's loop below this task."""
    async with trio.open_nursery() as nursery:
        take = trio.sleep_forever
        pace = Pace(3600, 3600)
        nursery.start_soon(
            lambda: process_backlog(take, pace, Counts(), done="a", failed="b"), name="indexer"
        )


async def test_each_task_is_below_the_one_that_started_it_with_the_place_where_it_waits():
    """Equal tasks without tasks of their own share a line."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(parent, name="parent")
        for _ in range(5_000):
            nursery.start_soon(trio.sleep_forever, name="connection")
        await trio.testing.wait_all_tasks_blocked()
        lines = format_task_tree()
        nursery.cancel_scope.cancel()
    (top,) = [n for n, line in enumerate(lines) if line.lstrip().startswith("parent")]
    depth = len(lines[top]) - len(lines[top].lstrip())
    assert lines[top + 1].startswith(f"{' ' * (depth + 2)}indexer at runtime/periodic.py:")
    assert [line.strip() for line in lines if "connection" in line] == [
        "connection in sleep_forever (5000 tasks)"
    ]
    assert len(lines) < 20


async def test_the_tree_is_bounded():
    """The last line says how many tasks are missing."""
    async with trio.open_nursery() as nursery:
        for name in NAMES:
            nursery.start_soon(trio.sleep_forever, name=name)
        await trio.testing.wait_all_tasks_blocked()
        living = trio.lowlevel.current_statistics().tasks_living
        lines = format_task_tree()
        nursery.cancel_scope.cancel()
    assert len(lines) == MAX_LINES + 1
    assert max(map(len, lines)) == MAX_LINE
    assert lines[-1] == f"and {living - MAX_LINES} more tasks"


async def test_a_signal_asks_for_it():
    """Before and after, the signal is ignored, or was as before."""
    before = signal.getsignal(signal.SIGUSR1)
    with capture_logs() as logs, ignore_request():
        os.kill(os.getpid(), signal.SIGUSR1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(log_on_request, name="task_tree")
            await trio.testing.wait_all_tasks_blocked()
            assert logs == []
            for number in (1, 2):
                os.kill(os.getpid(), signal.SIGUSR1)

                async def is_logged(number=number):
                    await trio.lowlevel.checkpoint()
                    return len(logs) == number

                await until(is_logged)
            nursery.cancel_scope.cancel()
        os.kill(os.getpid(), signal.SIGUSR1)
    assert signal.getsignal(signal.SIGUSR1) == before
    assert [(line["event"], line["log_level"]) for line in logs] == [("task_tree", "warning")] * 2
    assert "task_tree at runtime/telemetry/task_tree.py" in logs[0]["stack"]
    assert task_tree.MAX_LINES * MAX_LINE < 100_000
