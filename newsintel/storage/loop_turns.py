"""Runs sliced work on the stores' asyncio loop, with everybody else's turns between its slices: what `turns` is on trio's side."""

import asyncio
from time import perf_counter
from typing import TypeVar

from newsintel.slices import Sliced
from newsintel.turns import TURN_S

T = TypeVar("T")


async def in_loop_turns(work: Sliced[T]) -> T:
    """Do some work; others run at the first pause after TURN_S, and then every TURN_S, and once at its end."""
    until_s = perf_counter() + TURN_S
    while True:
        try:
            next(work)
        except StopIteration as done:
            await asyncio.sleep(0)
            result: T = done.value
            return result
        if perf_counter() >= until_s:
            await asyncio.sleep(0)
            until_s = perf_counter() + TURN_S
