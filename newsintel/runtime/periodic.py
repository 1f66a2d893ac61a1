"""Work that is done by the clock."""

import random
from collections.abc import Awaitable, Callable
from typing import NoReturn

import trio


async def pause(longest_s: float) -> None:
    """Sleep, for half of the time at least; how long is left to chance, so that processes that start together spread out."""
    await trio.sleep(longest_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing


async def repeat(step: Callable[[], Awaitable[float | None]], *, every_s: float, first_s: float) -> NoReturn:
    """Take one step after another until cancelled.

    Args:
        step: must not raise for what may pass by itself. Returns for how many seconds to pause at least; None = `every_s` will do.
        every_s: the pause between steps, shortened by up to half at random.
        first_s: the pause before the first step, shortened by as much.
    """
    pause_s = first_s
    while True:
        await pause(pause_s)
        pause_s = max(every_s, await step() or 0.0)
