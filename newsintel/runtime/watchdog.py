"""Ends a process whose loop has stopped turning, whatever the cause. Nothing here waits for the loop.

Two watchers, because none sees every cause:

- A thread asks the loop for a sign of life once a tick and counts the ticks without one. It sees a loop that waits (a blocking
  call, a lock that nobody gives back) and one that spins. It counts its own ticks, not the clock: a process that was stopped, frozen
  or suspended has had no ticks either, and on a starved machine the ticks come as late as everything else.
- A timer of the kernel counts the process's own processor time since the last sign of life. It sees a call in C that never lets go
  of the interpreter (a regular expression that backtracks without end), under which no thread of ours runs. Time in which the
  process did not run does not count.

Either writes every thread's traceback to standard error and ends the process non-zero; the platform starts it again.
"""

import faulthandler
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trio

STUCK_S = 10.0
"""No step of the loop may take longer than 5 ms, so a loop that has not turned for 2,000 times as long does not turn again. It is also
less than an ending has (DRAIN_S and its slack, 25 s): a process that is stuck when it is to end still ends by itself."""

TICKS = 10
"""Looks at the loop in that time: one a second, each a wake-up of some 20 us."""

SPIN = 1.5
"""The timer's share of STUCK_S: where both watchers see the cause, the thread is first, and the exit code is its."""

WRITING_S = 5
"""For the tracebacks. Whoever should read standard error may be what is stuck; then the process ends without them."""

EXIT_STUCK = 1


@contextmanager
def watched(stuck_s: float = STUCK_S) -> Iterator[None]:
    """Watch the loop that runs this for as long as the block lasts. To be used in the main thread, by one at a time.

    Args:
        stuck_s: how long the loop may stand still.
    """
    over = threading.Event()
    token = trio.lowlevel.current_trio_token()
    thread = threading.Thread(target=_watch, args=(token, stuck_s, over), name="watchdog", daemon=True)
    faulthandler.register(signal.SIGPROF, all_threads=True, chain=True)  # chained to the system's own answer: the end
    signal.setitimer(signal.ITIMER_PROF, stuck_s * SPIN)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()  # it waits for nothing else
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.unregister(signal.SIGPROF)


def _watch(token: trio.lowlevel.TrioToken, stuck_s: float, over: threading.Event) -> None:
    """Look at the loop once a tick; end the process after TICKS without a sign of life."""
    turned = threading.Event()
    turned.set()
    ticks = 0
    while not over.wait(stuck_s / TICKS):
        if turned.is_set():
            turned.clear()
            ticks = 0
            signal.setitimer(signal.ITIMER_PROF, stuck_s * SPIN)
            with suppress(trio.RunFinishedError):
                token.run_sync_soon(turned.set)
            continue
        ticks += 1
        if ticks >= TICKS:
            _end(stuck_s)


def _end(stuck_s: float) -> None:
    """Write down what every thread does and end the process, without anything that the loop's thread might hold: locks, buffers."""
    signal.alarm(WRITING_S)
    os.write(2, b"newsintel: the loop has not turned for %g s; ending\n" % stuck_s)
    faulthandler.dump_traceback(2, all_threads=True)
    os._exit(EXIT_STUCK)
