"""Runs sliced work on the stores' asyncio loop, with everybody else's turns between its slices: what `turns` is on trio's side."""

import asyncio
from functools import partial
from typing import TypeVar

from newsintel.domain.bounds.slices import Sliced
from newsintel.runtime.turns import take_turns

T = TypeVar("T")

_pause = partial(asyncio.sleep, 0)


async def in_loop_turns(work: Sliced[T]) -> T:
    """Do some work; others run at the first pause after TURN_S, and then every TURN_S, and once at its end."""
    result = await take_turns(work, _pause)
    await _pause()
    return result
