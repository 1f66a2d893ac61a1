"""GDELT allows one call in five seconds, and calls take different times to reach it.

A call on a new connection waits for its handshakes first, the next one on the same connection does
not. So a pace of exactly five seconds between two starts is too fast.
"""

from collections import Counter
from itertools import pairwise

import pytest
import trio

from newsintel.config.reading import read_settings
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.outbound.sources import REGISTRY
from tests.actors.test_fetcher import Rig
from tests.fakes.basics import MemoryLedger

NAMED_S = 5.0
"""Its own message: "Please limit requests to one every 5 seconds"."""
HANDSHAKES_S = 1.0
"""A look-up of the name, and three round trips for TCP and TLS 1.2, of 0.25 s each, as to the other
side of the earth.
"""
SETTINGS = read_settings([REGISTRY["gdelt"].options], {}).source["gdelt"]
PAGE = SourcePage((), 0, {}, 200)
LIMITED = Refusal(Status.RATE_LIMITED, "Please limit requests", 429, pause_s=60.0)


@pytest.fixture
async def start(nursery):
    """Starts a process that asks GDELT; all of them share a ledger."""
    ledger = MemoryLedger()

    def run(*script):
        rig = Rig(*script, pace_s=SETTINGS.pace_s, deadline_s=300, ledger=ledger)
        nursery.start_soon(rig.run)
        return rig

    return run


async def ask(rigs, number, within_s=300):
    """Ask each process so many times at once; return the states of the outcomes."""
    sent = [rig.send(within_s) for _ in range(number) for rig in rigs]
    return [(await outcomes.receive()).status for outcomes in sent]


def find_arrivals(*rigs):
    """When the calls reached GDELT: the first one of each process waits for its handshakes."""
    calls = [list(rig.upstream.asked_at) for rig in rigs]
    return sorted(
        at + HANDSHAKES_S * (not number) for ats in calls for number, at in enumerate(ats)
    )


async def test_calls_of_two_processes_arrive_five_seconds_apart(start, autojump_clock):
    """Whichever of them are on a new connection."""
    one, two = start(*[PAGE] * 4), start(*[PAGE] * 4)
    assert await ask([one, two], 4) == [Status.EMPTY] * 8
    arrivals = find_arrivals(one, two)
    assert len(arrivals) == 8
    assert min(later - earlier for earlier, later in pairwise(arrivals)) >= NAMED_S


async def test_after_a_refusal_the_pace_goes_on_and_the_refused_process_pauses(
    start, autojump_clock
):
    """The other process may ask, at the pace."""
    one, two = start(PAGE, LIMITED, PAGE), start(*[PAGE] * 4)
    await ask([one, two], 3)
    assert len(one.upstream.asked_at) == 2
    refused_at = one.upstream.asked_at[1]
    assert set(await ask([one], 2, within_s=1)) == {Status.RATE_LIMITED}
    await trio.sleep_until(refused_at + 60)
    assert await ask([one, two], 1) == [Status.EMPTY] * 2
    arrivals = find_arrivals(one, two)
    assert len(arrivals) == 7
    assert min(later - earlier for earlier, later in pairwise(arrivals)) >= NAMED_S


async def test_a_process_that_stood_still_does_not_make_up_for_its_starts(start, autojump_clock):
    """They would come all at once."""
    one, two = start(*[PAGE] * 4), start(*[PAGE] * 4)
    sent = [rig.send(300) for _ in range(3) for rig in (one, two)]
    await trio.sleep(1)
    autojump_clock.jump(20 * SETTINGS.pace_s)
    states = Counter([(await outcomes.receive()).status for outcomes in sent])
    assert states == {Status.EMPTY: 1, Status.OVERLOADED: 5}
    assert await ask([one, two], 1) == [Status.EMPTY] * 2
    starts = sorted(at for rig in (one, two) for at in rig.upstream.asked_at)
    assert len(starts) == 3
    assert min(later - earlier for earlier, later in pairwise(starts)) >= SETTINGS.pace_s
