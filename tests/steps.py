"""Measures how long the event loop is blocked, without depending on the speed of the machine.

It measures processor time in units of known work done in the same run. A machine that is slow or
busy takes longer for both. Each cost is the best of several tries, so a short disturbance has no
effect. The limit is three times what the product allows itself, because two kinds of work do not
slow down by exactly the same factor. The faults that this must find exceed it by far: before the
work was sliced, it took a hundred times as long.
"""

import gc
import re
from contextlib import contextmanager
from time import thread_time_ns

import trio

LONGEST_MS = 5
"""How long one step of the loop may take on the machine of docs/performance.md, in milliseconds."""

ALLOWED = 3
"""A test passes below this multiple of LONGEST_MS."""

TRIES = 10

_TEXT = "The minister said on Monday that 1,234 people had been asked; nobody knew why. " * 50
_WORD = re.compile(r"\w+")


def _known_work():
    """About 1 ms on that machine: matching, hashing, small objects, like most of our steps."""
    found = {}
    for _ in range(4):
        for word in _WORD.findall(_TEXT):
            found[word.casefold()] = found.get(word, 0) + len(word)
    return sorted(found)


def cost_ns(work):
    """The processor time of some work, in nanoseconds."""
    began = thread_time_ns()
    work()
    return thread_time_ns() - began


def unit_ns():
    """How long the work of 1 ms on that machine takes here and now, in nanoseconds."""
    return min(cost_ns(_known_work) for _ in range(30))


def in_ms(cost_ns):
    """Convert a cost to milliseconds of that machine."""
    return cost_ns / unit_ns()


@contextmanager
def no_collector():
    """Disable the garbage collector during the block.

    Its pauses belong to no step; tests/runtime/test_lifecycle.py bounds them.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def longest_slice(make):
    """Return the milliseconds of the longest slice of sliced work, and the work's result.

    Do the work once; if it was too slow, up to TRIES times, and take the best of each slice: a
    disturbance makes work longer, never shorter.
    """
    best = None
    with no_collector():
        for _ in range(TRIES):
            result, costs = _costs(make())
            best = costs if best is None else list(map(min, best, costs))
            longest_ms = in_ms(max(best))
            if longest_ms < ALLOWED * LONGEST_MS:
                break
    return longest_ms, result


def _costs(work):
    """The result of sliced work, and the cost of each slice."""
    costs = []
    while True:
        began = thread_time_ns()
        try:
            next(work)
        except StopIteration as done:
            costs.append(thread_time_ns() - began)
            return done.value, costs
        costs.append(thread_time_ns() - began)


class Steps(trio.abc.Instrument):
    """The longest step of each task, by task name."""

    def __init__(self, ignored):
        self.ignored = ignored
        self.longest_ns = {}
        self._began = 0

    def before_task_step(self, task):
        """Read the clock."""
        self._began = thread_time_ns()

    def after_task_step(self, task):
        """Read the clock again and keep the longest step."""
        cost = thread_time_ns() - self._began
        if not self.ignored(task.name):
            self.longest_ns[task.name] = max(cost, self.longest_ns.get(task.name, 0))

    def longest_ms(self):
        """The longest step of all in milliseconds, and the name of its task."""
        name, cost = max(self.longest_ns.items(), key=lambda one: one[1])
        return in_ms(cost), name


@contextmanager
def measured(ignored=lambda _name: False):
    """Measure the steps of the current event loop."""
    steps = Steps(ignored)
    with no_collector():
        trio.lowlevel.add_instrument(steps)
        try:
            yield steps
        finally:
            trio.lowlevel.remove_instrument(steps)
