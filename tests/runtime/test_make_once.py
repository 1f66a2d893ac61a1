"""One makes, all wait: results and failures are shared, a maker that is cancelled fails nobody."""

import gc
import weakref
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from newsintel.errors import BusyError, InvalidParameterError, RateLimitedError, UnavailableError
from newsintel.runtime.make_once import MakeOnce

CALLERS = 50


class Work:
    """Work that takes a second, and then has a result or fails."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.runs = 0

    async def __call__(self):
        self.runs += 1
        run = self.runs
        await trio.sleep(1)
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        return run


async def asked(once, work, keys=("key",), callers=CALLERS):
    """What each of so many callers at once had for each key: a result or an exception."""
    found = []

    async def ask(key):
        try:
            found.append(await once.make(key, work))
        except Exception as error:  # noqa: BLE001 - whatever came
            found.append(error)

    async with trio.open_nursery() as nursery:
        for key in keys:
            for _ in range(callers):
                nursery.start_soon(ask, key)
    return found


async def test_all_who_ask_at_once_share_one_result(autojump_clock):
    """It takes as long as one making; the next who asks has a new one made."""
    once, work = MakeOnce(), Work()
    assert await asked(once, work) == [1] * CALLERS
    assert (work.runs, trio.current_time()) == (1, 1)
    assert await once.make("key", work) == 2


async def test_keys_are_made_at_the_same_time(autojump_clock):
    """Each by itself; nothing is left of any afterwards."""
    once, work = MakeOnce(), Work()
    assert sorted(await asked(once, work, ("one", "other"))) == [1] * CALLERS + [2] * CALLERS
    assert trio.current_time() == 1
    assert once._making == {}


async def test_nothing_is_a_result_too(autojump_clock):
    """None is shared like any other."""
    once, runs = MakeOnce(), []

    async def nothing():
        runs.append(1)
        await trio.sleep(1)

    assert await asked(once, nothing) == [None] * CALLERS
    assert len(runs) == 1


FAILURES = [
    UnavailableError("away"),
    InvalidParameterError("sources", "invalid", "no such source"),
    RateLimitedError(17),
    KeyError("bug"),
    ExceptionGroup("two", [ValueError("one"), UnavailableError("other")]),
]


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
async def test_a_failure_reaches_all_at_the_same_moment(autojump_clock, failure):
    """An equal one for each, with the first as its cause; the next who asks has it made again."""
    once, work = MakeOnce(), Work(failure)
    found = await asked(once, work)
    assert (work.runs, trio.current_time()) == (1, 1)
    assert {type(error) for error in found} == {type(failure)}
    assert {(str(error), str(vars(error))) for error in found} == {(str(failure), str(vars(failure)))}
    assert len(set(map(id, found))) == CALLERS
    assert [error.__cause__ for error in found].count(failure) == CALLERS - 1
    assert await once.make("key", work) == 2


async def test_a_maker_that_is_cancelled_hands_over(autojump_clock):
    """One of those who wait makes from the start; the others wait for it and nobody fails."""
    once, work, found = MakeOnce(), Work(), []

    async def ask():
        found.append(await once.make("key", work))

    async with trio.open_nursery() as nursery:
        with trio.move_on_after(0.5):
            async with trio.open_nursery() as first:
                first.start_soon(once.make, "key", work)
                await wait_all_tasks_blocked()
                for _ in range(CALLERS):
                    nursery.start_soon(ask)
    assert found == [2] * CALLERS
    assert trio.current_time() == 1.5


async def test_one_who_waits_may_leave(autojump_clock):
    """It disturbs nobody."""
    once, work = MakeOnce(), Work()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(once.make, "key", work)
        await wait_all_tasks_blocked()
        with trio.move_on_after(0.5) as left:
            await once.make("key", work)
    assert left.cancelled_caught
    assert (work.runs, trio.current_time()) == (1, 1)


async def test_all_may_leave(autojump_clock):
    """Then nothing is being made any more."""
    once, work = MakeOnce(), Work()
    with trio.move_on_after(0.5):
        await asked(once, work)
    assert once._making == {}
    assert await once.make("key", work) == 2


async def test_a_failure_of_the_maker_alone_is_not_shared(autojump_clock):
    """Those who waited make for themselves, at the same time: nobody queues behind one failure after the other."""
    once, work = MakeOnce(own_failures=BusyError), Work(BusyError("no slot"), None, BusyError("no slot"))
    found = await asked(once, work, callers=5)
    failed = [one for one in found if isinstance(one, BusyError)]
    assert (len(failed), len(found)) == (2, 5)
    assert (work.runs, trio.current_time()) == (5, 2)


async def test_what_was_raised_is_not_held_by_itself(autojump_clock):
    """No cycle keeps the frames of a failure in memory until the collector comes."""

    class Held:
        pass

    gc.collect()
    gc.disable()
    try:
        gone = await _fail_once(Held)
        assert gone() is None
    finally:
        gc.enable()


async def _fail_once(kind):
    held = kind()
    gone = weakref.ref(held)

    async def fail(held):
        raise UnavailableError("away")

    with pytest.raises(UnavailableError) as caught:
        await MakeOnce().make("key", partial(fail, held))
    del held, caught
    return gone
