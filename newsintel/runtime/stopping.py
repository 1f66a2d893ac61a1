"""The signals that end a process: SIGINT (Ctrl-C), SIGTERM (a platform) and SIGHUP (a terminal that closes), all three alike.

A handler runs in the main thread between two byte codes. So it runs while a loop is busy or waits in a blocking call, and it sets the
limit for the whole ending itself: past that the process ends whether or not anything else ever heard of the signal. What was ignored
when the process began (`nohup`, a shell's background job) stays ignored.

In code without a loop, and in a blocking call on the loop that waits for somebody else, a signal is an exception: `raising`. On the loop
it is a cancel: see `command_loop`.
"""

import faulthandler
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

END_S = 25.0
"""What the ending of a command may take. Leaving its stores takes 8 s at most; a container has 30 s between SIGTERM and SIGKILL."""

WRITING_S = 5
"""For the tracebacks of an ending that is stuck. Whoever should read standard error may be what is stuck; then it ends without them."""

_received: list[int] = []
"""Every signal since the command began. Of the whole process, as signals are."""


class Stopped(KeyboardInterrupt):
    """A signal ended what was being done.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = signal.Signals(number)

    @property
    def exit_code(self) -> int:
        """As a shell reports it."""
        return 128 + self.number


def asked() -> int | None:
    """The first signal that the command has received; None if there was none."""
    return _received[0] if _received else None


def asked_by() -> str | None:
    """The name of that signal."""
    return signal.Signals(_received[0]).name if _received else None


@contextmanager
def handling(react: Callable[[], object], end_s: float = END_S) -> Iterator[None]:
    """Have `react` called after each signal while the block lasts, in the main thread at any moment.

    Args:
        react: called without its signal, as it makes no difference which it was.
        end_s: seconds after the first signal by which the process must have ended; see `end_within`.
    """

    def handle(number: int, _frame: object) -> None:
        _received.append(number)
        if len(_received) == 1:
            end_within(end_s)
        react()

    before = {number: handler for number in SIGNALS if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def raising() -> Iterator[None]:
    """Have the first signal raise `Stopped` in the block, which must not await, or before it; further ones find the ending under way."""

    def react() -> None:
        if len(_received) == 1:
            raise Stopped(_received[0])

    with handling(react):
        if _received:
            raise Stopped(_received[0])
        yield


def end_within(limit_s: float) -> None:
    """Set a limit for the process's end: past it it writes every thread's traceback and exits 1.

    Kept by a thread in C and, should that be stuck in writing, by the kernel.
    """
    faulthandler.dump_traceback_later(limit_s, exit=True)
    signal.alarm(math.ceil(limit_s) + WRITING_S)


def ended() -> None:
    """The command is over: take the limit away."""
    faulthandler.cancel_dump_traceback_later()
    signal.alarm(0)
    _received.clear()
