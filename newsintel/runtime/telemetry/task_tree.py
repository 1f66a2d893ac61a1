"""Writes the tree of all running tasks, and where each of them waits, to the log.

`kill -USR1` asks for it. The tree comes from the loop itself, so a loop that is stuck writes none;
the watchdog then writes the tracebacks.
"""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import trio
from attrs import frozen

import newsintel
from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

MAX_LINES = 400
"""Lines of one tree, about 40 KiB. Equal tasks without tasks of their own share a line, so 4,096
connections take few of them."""
MAX_LINE = 200
"""Characters of one line."""

_PACKAGE = Path(newsintel.__file__).parent
_Task = trio.lowlevel.Task


@frozen
class _Line:
    """A task as it is shown: its depth, its own text, and whether it has tasks below it."""

    depth: int
    text: str
    is_leaf: bool


def format_task_tree() -> list[str]:
    """Return a line for each task of the current loop, indented below the task that started it."""
    root = trio.lowlevel.current_root_task()
    lines: list[str] = []
    rest = 0
    for line, number in _join_equal(_walk(root)) if root else ():
        if len(lines) < MAX_LINES:
            times = f" ({number} tasks)" if number > 1 else ""
            lines.append(f"{'  ' * line.depth}{line.text}{times}"[:MAX_LINE])
        else:
            rest += number
    return [*lines, f"and {rest} more tasks"] if rest else lines


def _walk(root: _Task) -> Iterator[list[_Line]]:
    """Yield runs of lines in the order of the tree: the leaves of one nursery are one run."""
    waiting = [(0, root)]
    while waiting:
        depth, task = waiting.pop()
        yield [_describe(depth, task)]
        for nursery in reversed(task.child_nurseries):
            leaves = [one for one in nursery.child_tasks if not one.child_nurseries]
            yield [_describe(depth + 1, one) for one in leaves]
            inner = [one for one in nursery.child_tasks if one.child_nurseries]
            waiting += [(depth + 1, one) for one in inner]


def _join_equal(runs: Iterator[list[_Line]]) -> Iterator[tuple[_Line, int]]:
    """Yield each line of a run once, and how many there are."""
    for run in runs:
        yield from sorted(Counter(run).items(), key=lambda found: found[0].text)


def _describe(depth: int, task: _Task) -> _Line:
    """Return a task's name, its innermost place in our own code, and what is called there."""
    place, called = "", ""
    for frame, number in task.iter_await_frames():
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_PACKAGE):
            place, called = f" at {path.relative_to(_PACKAGE)}:{number}", ""
        elif not called:
            called = f" in {frame.f_code.co_qualname}"
    return _Line(depth, f"{task.name}{place}{called}", not task.child_nurseries)


@contextmanager
def ignore_request() -> Iterator[None]:
    """Ignore SIGUSR1 in the block: its default action would end a service that just starts."""
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


async def log_on_request(pass_on: Callable[[], None] | None = None) -> None:
    """Log the tree after each SIGUSR1, until cancelled.

    Args:
        pass_on: passes the request on to other processes.
    """
    with trio.open_signal_receiver(signal.SIGUSR1) as requests:
        async for _ in requests:
            log_task_tree()
            if pass_on is not None:
                pass_on()


def log_task_tree() -> None:
    """Log the tree now."""
    statistics = trio.lowlevel.current_statistics()
    tree = "\n".join(format_task_tree())
    log.warning("task_tree", tasks=statistics.tasks_living, stack=tree)
