"""How long the loop is held up, told without a clock on the wall: processor time, counted in work of a known kind done in the same run.

A machine that is slow, or busy with something else, takes longer for both. What is compared is the best of several tries of each, so that
a moment's disturbance counts for nothing; and three times as much is allowed as the product allows itself, because two kinds of work do not
slow down by the very same factor. What this is to find is off by far more: it took a hundred times as long before there were slices.
"""

import gc
import re
from contextlib import contextmanager
from time import thread_time_ns

import trio

LONGEST_MS = 5
"""What one step of the loop may take on the machine of docs/performance.md."""

ALLOWED = 3
"""Times that much passes."""

TRIES = 3

_TEXT = "The minister said on Monday that 1,234 people had been asked; nobody knew why. " * 50
_WORD = re.compile(r"\w+")


def _known_work():
    """Some 1 ms on that machine: matching, hashing, small objects, as most of our steps are."""
    found = {}
    for _ in range(4):
        for word in _WORD.findall(_TEXT):
            found[word.casefold()] = found.get(word, 0) + len(word)
    return sorted(found)


def cost_ns(work):
    """Processor time of some work."""
    began = thread_time_ns()
    work()
    return thread_time_ns() - began


def unit_ns():
    """What takes a millisecond there takes so long here and now."""
    return min(cost_ns(_known_work) for _ in range(30))


def in_ms(cost_ns):
    """A cost as that machine's milliseconds."""
    return cost_ns / unit_ns()


@contextmanager
def no_collector():
    """Without the garbage collector, whose pauses are no step's own: tests/runtime/test_lifecycle.py bounds them."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def longest_slice(make):
    """Milliseconds of the longest slice of some sliced work, each slice at its best; and the work's result.

    Done once, and only if that was too slow up to three times: a moment's disturbance makes work longer, none makes it shorter.
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
    """The result of sliced work, and what each of its slices took."""
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
    """The longest step of each task, by its name."""

    def __init__(self, ignored):
        self.ignored = ignored
        self.longest_ns = {}
        self._began = 0

    def before_task_step(self, task):
        """Look at the clock."""
        self._began = thread_time_ns()

    def after_task_step(self, task):
        """And again."""
        cost = thread_time_ns() - self._began
        if not self.ignored(task.name):
            self.longest_ns[task.name] = max(cost, self.longest_ns.get(task.name, 0))

    def longest_ms(self):
        """The longest of all, with the task that took it."""
        name, cost = max(self.longest_ns.items(), key=lambda one: one[1])
        return in_ms(cost), name


@contextmanager
def measured(ignored=lambda _name: False):
    """Measures the steps of the loop that runs this."""
    steps = Steps(ignored)
    with no_collector():
        trio.lowlevel.add_instrument(steps)
        try:
            yield steps
        finally:
            trio.lowlevel.remove_instrument(steps)
