"""Stalls of the event loop."""

import trio

from newsintel.runtime.telemetry import loop_stalls
from newsintel.runtime.telemetry.loop_stalls import STALL_S, measure_stalls


async def test_a_turn_that_takes_long_is_observed(monkeypatch):
    """With its length. Short turns are not, and nothing is after the block."""
    now_s = 0.0
    seen = []
    monkeypatch.setattr(loop_stalls, "perf_counter", lambda: now_s)
    with measure_stalls(lambda name, value: seen.append((name, value))):
        for took_s in (STALL_S, 2.0, 0.001):
            await trio.lowlevel.checkpoint()
            now_s += took_s
            await trio.lowlevel.checkpoint()
    now_s += 3.0
    await trio.lowlevel.checkpoint()
    assert seen == [("loop_stall_seconds", 2.0)]
