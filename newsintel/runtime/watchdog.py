"""Ends a process whose event loop is stuck, whatever the cause. No code here waits for the loop.

There are two watchers, because neither of them detects every cause:

- A thread asks the loop for a sign of life once per tick and counts the ticks without one. It
  detects a loop that waits (a blocking call, a lock that is never released) and a loop that spins.
  It counts its own ticks, not the time: a process that is stopped, frozen or suspended has no ticks
  either, and on an overloaded machine the ticks are late too.
- A kernel timer counts the process's own CPU time since the last sign of life. It detects a call
  into C that never releases the interpreter (a regular expression that backtracks forever), during
  which none of our threads runs. Time in which the process did not run does not count.

Each of them writes every thread's traceback to standard error and ends the process with a failure;
the platform restarts it.
"""

import faulthandler
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trio

STUCK_S = 10.0
"""Time without a sign of life after which the loop counts as stuck.

No step of the loop may take longer than 5 ms, so a loop that is silent 2,000 times as long will not
recover. The time is shorter than a shutdown's (DRAIN_S and its slack, 25 s), so a process that is
stuck during its shutdown still ends by itself.
"""

TICKS = 10
"""Checks of the loop within STUCK_S: one per second, each a wake-up of about 20 us."""

SPIN = 1.5
"""The timer's limit as a multiple of STUCK_S.

If both watchers detect the cause, the thread is first, so the exit code is the thread's.
"""

TRACEBACK_S = 5
"""Time limit for writing the tracebacks.

The reader of standard error may be stuck itself; then the process ends without the tracebacks.
"""

EXIT_STUCK = 1


@contextmanager
def watch_loop(stuck_s: float = STUCK_S) -> Iterator[None]:
    """Watch the current loop during the block. Use it in the main thread, once at a time.

    Args:
        stuck_s: the time without a sign of life after which the loop counts as stuck.
    """
    over = threading.Event()
    token = trio.lowlevel.current_trio_token()
    thread = threading.Thread(
        target=_watch, args=(token, stuck_s, over), name="watchdog", daemon=True
    )
    # The traceback is chained to the default action of the signal, which ends the process.
    faulthandler.register(signal.SIGPROF, all_threads=True, chain=True)
    signal.setitimer(signal.ITIMER_PROF, stuck_s * SPIN)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()  # returns at once: the thread waits only for `over`
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.unregister(signal.SIGPROF)


def _watch(token: trio.lowlevel.TrioToken, stuck_s: float, over: threading.Event) -> None:
    """Check the loop once per tick; end the process after TICKS ticks without a sign of life."""
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
    """Write every thread's traceback and end the process.

    It uses no locks and no buffers, since the loop's thread may hold them.
    """
    signal.alarm(TRACEBACK_S)
    os.write(2, b"newsintel: the loop has not turned for %g s; ending\n" % stuck_s)
    faulthandler.dump_traceback(2, all_threads=True)
    os._exit(EXIT_STUCK)
