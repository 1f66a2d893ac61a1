"""One rate limit over several processes: which calls it admits, and what that costs."""

import random
import time

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from newsintel.config.values import Quota
from newsintel.errors import RateLimitedError
from newsintel.runtime.limits import limiter as module
from newsintel.runtime.limits.limiter import Limiter, create_limiter
from tests.fakes.basics import Clock, Counts, MemoryCounter


class World:
    """Limiters of several processes on one counter, at the start of a window."""

    def __init__(self, calls=60, window_s=60, processes=1):
        self.counter, self.counts, self.now = MemoryCounter(), Counts(), Clock()
        self.limiters = [
            Limiter(
                "search",
                Quota(calls, window_s),
                self.counter,
                self.counts,
                lambda: self.now().timestamp(),
            )
            for _ in range(processes)
        ]

    async def admitted(self, person="p", tries=1_000):
        """Return how many of `tries` calls are admitted, each at a random process."""
        let_in = 0
        for _ in range(tries):
            try:
                await random.choice(self.limiters).take(person)
            except RateLimitedError:
                continue
            let_in += 1
        return let_in


async def test_exactly_the_limit_is_admitted_per_window(autojump_clock):
    """The refusal gives the time to the window's end.

    After it the whole limit is available again.
    """
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


async def test_leased_calls_do_not_ask_redis(autojump_clock):
    """A whole limit costs twelve round trips; calls over the limit cost none."""
    world = World()
    await world.admitted(tries=200)
    assert world.counter.trips == 12


async def test_concurrent_first_calls_share_one_round_trip(autojump_clock):
    """A call that arrives during a lease waits for it."""
    world = World(calls=800)
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(world.limiters[0].take, "p")
    assert world.counter.trips == 1


async def test_several_processes_share_one_limit(autojump_clock):
    """The processes together admit the whole limit, and not one call more."""
    world = World(processes=4)
    assert await world.admitted() == 60


async def test_without_redis_each_process_applies_the_limit_alone(autojump_clock):
    """No call is refused because of the outage.

    Once Redis is back, the calls admitted meanwhile count.
    """
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


async def test_a_caller_that_is_cancelled_blocks_no_other(autojump_clock):
    """The next caller takes a lease itself."""
    world = World()
    with trio.CancelScope() as scope:
        scope.cancel()
        await world.limiters[0].take("p")
    with trio.fail_after(1):
        await world.limiters[0].take("p")


async def test_a_lease_that_outlasts_its_window_is_not_counted_in_the_next(autojump_clock):
    """The waiting call is counted in the new window."""
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


async def test_memory_of_persons_is_bounded(autojump_clock, monkeypatch):
    """The oldest person is removed first; Redis still knows what remains of their limit."""
    monkeypatch.setattr(module, "MAX_PERSONS", 3)
    world = World(calls=2)
    for person in "abcd":
        await world.limiters[0].take(person)
    assert list(world.limiters[0]._leases) == ["b", "c", "d"]
    assert await world.admitted("a", tries=5) == 1


async def test_off_means_no_limiter(autojump_clock):
    """The setting `off` arrives here as None."""
    world = World()
    assert create_limiter("miss", None, world.counter, world.counts, time.time) is None
    assert (
        create_limiter("miss", Quota(1, 1), world.counter, world.counts, time.time).policy == "miss"
    )
