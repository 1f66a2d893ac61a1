"""Measures how long the event loop runs tasks without looking for new input.

Everybody who has just sent something waits that long. trio calls an instrument before and after it
waits for input, once per turn of the loop; that takes about 1 us.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import trio

from newsintel.domain.ports import Observe

STALL_S = 0.005
"""Turns that take longer count as stalls. No step of a task may take as long; a turn has several
steps, and the garbage collector runs in it too."""


class _StallMeter(trio.abc.Instrument):
    def __init__(self, observe: Observe) -> None:
        self._observe = observe
        self._began_s = perf_counter()

    def before_io_wait(self, _timeout: float) -> None:
        took_s = perf_counter() - self._began_s
        if took_s > STALL_S:
            self._observe("loop_stall_seconds", took_s)

    def after_io_wait(self, _timeout: float) -> None:
        self._began_s = perf_counter()


@contextmanager
def measure_stalls(observe: Observe) -> Iterator[None]:
    """Observe `loop_stall_seconds` of the current loop during the block."""
    meter = _StallMeter(observe)
    trio.lowlevel.add_instrument(meter)
    try:
        yield
    finally:
        trio.lowlevel.remove_instrument(meter)
