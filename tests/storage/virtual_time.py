"""Virtual time beside real servers: no time passes while an operation is under way.

So hours pass in seconds, and no result depends on how fast the servers answer.
"""

from typing import NoReturn

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from newsintel.storage.bridge import Bridge


async def pass_time(clock: MockClock, bridge: Bridge) -> NoReturn:
    """Go to the next deadline whenever all tasks wait for one, until cancelled."""
    while True:
        await wait_all_tasks_blocked()
        if any(lane.running for lane in bridge._lanes):
            await bridge.wait_until_idle()
        else:
            clock.jump(max(0.0, trio.lowlevel.current_statistics().seconds_to_next_deadline))
