"""Waits for events that nothing announces. The duration proves nothing: the machine may be busy."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import trio

PATIENCE_S = 300
"""After this many seconds something hangs: no machine is so slow.

Every wait in a test may take as long, and no test concludes anything from a shorter time.
"""


def wait_for(find: Callable[[], Any], what: str, pause_s: float = 0.05) -> Any:
    """Call `find` until it returns something; return that. Fail with "`what` did not come"."""
    give_up = time.monotonic() + PATIENCE_S
    while not (found := find()):
        assert time.monotonic() < give_up, f"{what} did not come within {PATIENCE_S} s"
        time.sleep(pause_s)
    return found


async def until(check: Callable[[], Awaitable[Any]], pause_s: float = 0.02) -> Any:
    """Await a check until it holds; return its result."""
    with trio.fail_after(PATIENCE_S):
        while not (found := await check()):  # noqa: ASYNC110 - this is what the module is for
            await trio.sleep(pause_s)
    return found
