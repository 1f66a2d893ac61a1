"""A limit over several processes: what is admitted, and what that costs."""

import random
import time

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from newsintel.config.values import Quota
from newsintel.errors import RateLimitedError
from newsintel.runtime.limits import limiter as module
from newsintel.runtime.limits.limiter import Limiter, limiter
from tests.fakes.basics import Clock, Counts, MemoryCounter


class World:
    """A few processes' limiters on one counter, at a window's beginning."""

    def __init__(self, calls=60, window_s=60, processes=1):
        self.counter, self.counts, self.now = MemoryCounter(), Counts(), Clock()
        self.limiters = [
            Limiter("search", Quota(calls, window_s), self.counter, self.counts, lambda: self.now().timestamp()) for _ in range(processes)
        ]

    async def admitted(self, person="p", tries=1_000):
        """How many of so many calls are let in, each at any of the processes."""
        let_in = 0
        for _ in range(tries):
            try:
                await random.choice(self.limiters).take(person)
            except RateLimitedError:
                continue
            let_in += 1
        return let_in


async def test_a_limit_is_admitted_whole_and_no_more(autojump_clock):
    """Then the window's end is told, and after it there is the whole limit again."""
    world = World()
    await trio.sleep(18.5)
    assert await world.admitted(tries=100) == 60
    with pytest.raises(RateLimitedError) as caught:
        await world.limiters[0].take("p")
    assert caught.value.retry_after_s == 42
    assert await world.admitted("another", tries=100) == 60
    assert world.counts["limited search"] == 81
    await trio.sleep(41.5)
    assert await world.admitted(tries=100) == 60


async def test_a_leased_call_asks_redis_nothing(autojump_clock):
    """A whole limit costs a dozen trips, and what is over it none."""
    world = World()
    await world.admitted(tries=200)
    assert world.counter.trips == 12


async def test_many_first_calls_at_once_make_one_trip(autojump_clock):
    """Whoever comes while a lease is under way waits for it."""
    world = World(calls=800)
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(world.limiters[0].take, "p")
    assert world.counter.trips == 1


async def test_several_processes_share_one_limit(autojump_clock):
    """All of it can be had, whichever of them is asked, and not one more."""
    world = World(processes=4)
    assert await world.admitted() == 60


async def test_redis_away_each_process_keeps_to_the_limit_by_itself(autojump_clock):
    """Nobody is refused for it; once Redis is there, what was admitted meanwhile counts."""
    world = World(processes=2)
    world.counter.away = True
    for _ in range(20):
        await world.limiters[0].take("p")
    assert world.counts["lease_errors search"] == 3
    world.counter.away = False
    assert await world.admitted() <= 40
    world = World(processes=2)
    world.counter.away = True
    assert await world.admitted() == 120


async def test_whoever_leaves_while_leasing_blocks_nobody(autojump_clock):
    """The next to come leases anew."""
    world = World()
    with trio.CancelScope() as scope:
        scope.cancel()
        await world.limiters[0].take("p")
    with trio.fail_after(1):
        await world.limiters[0].take("p")


async def test_a_window_that_ends_while_leasing_is_not_counted_in_the_next(autojump_clock):
    """Whoever waited over the turn takes of the new window."""
    world = World(calls=1)
    await trio.sleep(59.9)
    gate = trio.Event()
    inner = world.counter.add

    async def slow(*args):
        await gate.wait()
        return await inner(*args)

    world.counter.add = slow
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.limiters[0].take, "p")
        await trio.sleep(0.2)
        await wait_all_tasks_blocked()
        gate.set()
    assert len(world.counter.kept) == 2


async def test_persons_remembered_are_bounded(autojump_clock, monkeypatch):
    """Whoever came first is forgotten first; what remains of their limit is still theirs in Redis."""
    monkeypatch.setattr(module, "MAX_PERSONS", 3)
    world = World(calls=2)
    for person in "abcd":
        await world.limiters[0].take(person)
    assert list(world.limiters[0]._leases) == ["b", "c", "d"]
    assert await world.admitted("a", tries=5) == 1


async def test_off_is_no_limiter(autojump_clock):
    """`off` in the settings is None here."""
    world = World()
    assert limiter("miss", None, world.counter, world.counts, time.time) is None
    assert limiter("miss", Quota(1, 1), world.counter, world.counts, time.time).policy == "miss"
