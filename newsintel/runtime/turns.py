"""Runs sliced work on trio's loop, with everybody else's turns between its slices."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TypeVar

import trio

from newsintel.domain.bounds.slices import Sliced

T = TypeVar("T")

TURN_S = 0.001
"""How long slices go on without a pause: small beside what a request takes, large beside the 10 us of a pause."""


async def in_turns(work: Sliced[T]) -> T:
    """Do some work; others run at the first pause after TURN_S, and then every TURN_S."""
    return await take_turns(work, trio.lowlevel.checkpoint)


async def take_turns(work: Sliced[T], pause: Callable[[], Awaitable[None]]) -> T:
    """The same on any loop.

    Args:
        work: what is to be done.
        pause: lets others run on the loop of the task that asks.
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
