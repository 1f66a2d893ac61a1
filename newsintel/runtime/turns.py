"""Runs sliced work on the loop so that other tasks run between its slices."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TypeVar

import trio

from newsintel.domain.bounds.slices import Sliced

T = TypeVar("T")

TURN_S = 0.001
"""How long slices run without a pause: short compared with a request, long compared with a pause.

A pause takes 10 us.
"""


async def run_in_turns(work: Sliced[T]) -> T:
    """Run sliced work and return its result; other tasks run after every TURN_S."""
    return await run_with_pauses(work, trio.lowlevel.checkpoint)


async def run_with_pauses(work: Sliced[T], pause: Callable[[], Awaitable[None]]) -> T:
    """Run sliced work on any loop and return its result.

    Args:
        work: the work.
        pause: lets other tasks run on the caller's loop.
    """
    until_s = perf_counter() + TURN_S
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result
        if perf_counter() >= until_s:
            await pause()
            until_s = perf_counter() + TURN_S
