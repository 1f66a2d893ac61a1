"""Periodic work."""

import random
from collections.abc import Awaitable, Callable
from typing import NoReturn

import trio

from newsintel.runtime.heartbeats import at_work


async def sleep_with_jitter(longest_s: float) -> None:
    """Sleep for a random time between half of `longest_s` and all of it.

    So processes that start together do not work at the same times.
    """
    await trio.sleep(longest_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load


async def repeat(
    step: Callable[[], Awaitable[float | None]], *, every_s: float, first_s: float
) -> NoReturn:
    """Take one step after another until cancelled.

    Args:
        step: must not raise for temporary failures. Returns the next pause in seconds, if that must
            be longer than `every_s`; otherwise None or less.
        every_s: the pause between steps. This and every other pause is shortened by up to half at
            random.
        first_s: the pause before the first step.
    """
    pause_s = first_s
    while True:
        await sleep_with_jitter(pause_s)
        with at_work():
            took = await step()
        pause_s = max(every_s, took or 0.0)
