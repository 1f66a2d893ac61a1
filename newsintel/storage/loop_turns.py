"""Runs sliced work on the stores' asyncio loop; other tasks run between the slices.

`turns` does the same on trio's side.
"""

import asyncio
from functools import partial
from typing import TypeVar

from newsintel.domain.bounds.slices import Sliced
from newsintel.runtime.turns import run_with_pauses

T = TypeVar("T")

_pause = partial(asyncio.sleep, 0)


async def run_in_loop_turns(work: Sliced[T]) -> T:
    """Run sliced work; other tasks run at the first pause after each TURN_S, and at the end."""
    result = await run_with_pauses(work, _pause)
    await _pause()
    return result
