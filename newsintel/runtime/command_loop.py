"""Runs commands on trio. A signal cancels the command, which happens only at checkpoints.

So cleanup code always completes.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, TypeVarTuple, cast

import trio

from newsintel.runtime.stopping import END_S, Stopped, first_signal, handle_signals

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run(command: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Run a command with `trio.run`; a signal cancels it.

    Raises:
        Stopped: a signal cancelled the command before it was finished.
    """
    with handle_signals(lambda: None):  # for signals before the loop starts and after it ends
        return trio.run(_run_until_signal, command, args)


async def _run_until_signal(command: Callable[[*Ts], Awaitable[T]], args: tuple[*Ts]) -> T:
    with trio.CancelScope() as scope, call_on_signals(scope.cancel, scope.cancel):
        return await command(*args)
    raise Stopped(cast(int, first_signal()))  # nothing else cancels this scope


@contextmanager
def call_on_signals(
    first: Callable[[], object], again: Callable[[], object], end_s: float = END_S
) -> Iterator[None]:
    """Call `first` on the loop after the first signal and `again` after each further one.

    Args:
        first: called at once if a signal has already arrived.
        again: called after each further signal.
        end_s: seconds after the first signal by which the process must have ended; see
            `stopping.end_within`.
    """
    token = trio.lowlevel.current_trio_token()
    told = False

    def tell() -> None:
        nonlocal told
        token.run_sync_soon(again if told else first)
        told = True

    with handle_signals(tell, end_s):
        if first_signal() is not None and not told:
            tell()
        yield
