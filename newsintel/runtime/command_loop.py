"""trio's loop as commands run it: a signal is a cancel, which arrives at checkpoints alone, so that cleaning up is whole."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, TypeVarTuple, cast

import trio

from newsintel.runtime.stopping import END_S, Stopped, asked, handling

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run(command: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """`trio.run`, in which a signal cancels the command.

    Raises:
        Stopped: one did, and the command had more to do.
    """
    with handling(lambda: None):  # until there is a loop to tell, and when it is gone
        return trio.run(_cancelled_by_signals, command, args)


async def _cancelled_by_signals(command: Callable[[*Ts], Awaitable[T]], args: tuple[*Ts]) -> T:
    with trio.CancelScope() as scope, signals_call(scope.cancel, scope.cancel):
        return await command(*args)
    raise Stopped(cast(int, asked()))  # nothing else cancels this scope


@contextmanager
def signals_call(first: Callable[[], object], again: Callable[[], object], end_s: float = END_S) -> Iterator[None]:
    """Have the loop call `first` after the first signal and `again` after each further one.

    Args:
        first: called on the loop, at once if a signal is there already.
        again: called on the loop.
        end_s: seconds after the first signal by which the process must have ended; see `stopping.end_within`.
    """
    token = trio.lowlevel.current_trio_token()
    told = False

    def tell() -> None:
        nonlocal told
        token.run_sync_soon(again if told else first)
        told = True

    with handling(tell, end_s):
        if asked() is not None and not told:
            tell()
        yield
