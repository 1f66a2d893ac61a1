"""Signals that end a process: SIGINT (Ctrl-C), SIGTERM (a platform), SIGHUP (a closed terminal).

All three have the same effect. A handler runs in the main thread between two byte codes, so it runs
also while the loop is busy or in a blocking call. The handler itself sets the time limit for the
shutdown: when that is over the process ends, even if no other code has noticed the signal. A signal
that was ignored when the process started (`nohup`, a shell's background job) stays ignored.

In code without a loop, and in a blocking call on the loop that waits for another program, a signal
raises an exception: see `raise_on_signal`. On the loop it cancels: see `command_loop`.
"""

import faulthandler
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

END_S = 25.0
"""Time limit for the end of a command.

Closing its stores takes 8 s at most; a container has 30 s between SIGTERM and SIGKILL.
"""

TRACEBACK_S = 5
"""Time limit for writing the tracebacks of a stuck shutdown.

The reader of standard error may be stuck itself; then the process ends without the tracebacks.
"""

_received: list[int] = []
"""All signals since the command began. It is global, because signals go to the whole process."""


class Stopped(KeyboardInterrupt):
    """A signal stopped the current work.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = signal.Signals(number)

    @property
    def exit_code(self) -> int:
        """The exit code with which a shell reports this signal."""
        return 128 + self.number


def first_signal() -> int | None:
    """Return the first signal that the command received; None if there was none."""
    return _received[0] if _received else None


def first_signal_name() -> str | None:
    """Return the name of the first signal that the command received; None if there was none."""
    return signal.Signals(_received[0]).name if _received else None


@contextmanager
def handle_signals(react: Callable[[], object], end_s: float = END_S) -> Iterator[None]:
    """Call `react` after each signal in the block, in the main thread and at any moment.

    Args:
        react: does not get the signal, since all have the same effect.
        end_s: seconds after the first signal by which the process must have ended; see
            `end_within`.
    """

    def handle(number: int, _frame: object) -> None:
        _received.append(number)
        if len(_received) == 1:
            end_within(end_s)
        react()

    before = {
        number: handler
        for number in SIGNALS
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }
    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def raise_on_signal() -> Iterator[None]:
    """Raise `Stopped` in the block, which must not await, when the first signal arrives.

    If a signal arrived before the block, raise at once. Further signals are ignored, because the
    shutdown has already begun.
    """

    def react() -> None:
        if len(_received) == 1:
            raise Stopped(_received[0])

    with handle_signals(react):
        if _received:
            raise Stopped(_received[0])
        yield


def end_within(limit_s: float) -> None:
    """Set a time limit for the process: after it, write every thread's traceback and exit 1.

    A C thread enforces the limit. If that thread is stuck in writing, the kernel ends the process.
    """
    faulthandler.dump_traceback_later(limit_s, exit=True)
    signal.alarm(math.ceil(limit_s) + TRACEBACK_S)


def clear_limit() -> None:
    """Remove the time limit and forget the signals, because the command has ended."""
    faulthandler.cancel_dump_traceback_later()
    signal.alarm(0)
    _received.clear()
