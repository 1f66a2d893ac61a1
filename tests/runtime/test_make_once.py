"""MakeOnce: concurrent callers share a result or failure; a cancelled maker fails no other."""

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
    """Work that takes a second, then returns the number of its run or fails."""

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
    """Return what each of the concurrent callers got for each key: a result or an exception."""
    found = []

    async def ask(key):
        try:
            found.append(await once.make(key, work))
        except Exception as error:  # noqa: BLE001 - any exception is a result here
            found.append(error)

    async with trio.open_nursery() as nursery:
        for key in keys:
            for _ in range(callers):
                nursery.start_soon(ask, key)
    return found


async def test_concurrent_callers_share_one_result(autojump_clock):
    """It takes as long as one run; the next caller starts a new run."""
    once, work = MakeOnce(), Work()
    assert await asked(once, work) == [1] * CALLERS
    assert (work.runs, trio.current_time()) == (1, 1)
    assert await once.make("key", work) == 2


async def test_different_keys_are_made_concurrently(autojump_clock):
    """Each key has its own run; afterwards no key is held."""
    once, work = MakeOnce(), Work()
    assert sorted(await asked(once, work, ("one", "other"))) == [1] * CALLERS + [2] * CALLERS
    assert trio.current_time() == 1
    assert once._making == {}


async def test_none_is_a_result(autojump_clock):
    """It is shared like any other result."""
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
async def test_a_failure_reaches_all_waiters_at_the_same_moment(autojump_clock, failure):
    """Each gets an equal exception with the original as its cause; the next caller starts again."""
    once, work = MakeOnce(), Work(failure)
    found = await asked(once, work)
    assert (work.runs, trio.current_time()) == (1, 1)
    assert {type(error) for error in found} == {type(failure)}
    assert {(str(error), str(vars(error))) for error in found} == {
        (str(failure), str(vars(failure)))
    }
    assert len(set(map(id, found))) == CALLERS
    assert [error.__cause__ for error in found].count(failure) == CALLERS - 1
    assert await once.make("key", work) == 2


async def test_a_cancelled_maker_is_replaced_by_a_waiter(autojump_clock):
    """One waiter starts from the beginning; the others wait for it, and none fails."""
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


async def test_a_waiter_can_be_cancelled(autojump_clock):
    """The maker and the other waiters continue."""
    once, work = MakeOnce(), Work()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(once.make, "key", work)
        await wait_all_tasks_blocked()
        with trio.move_on_after(0.5) as left:
            await once.make("key", work)
    assert left.cancelled_caught
    assert (work.runs, trio.current_time()) == (1, 1)


async def test_all_callers_can_be_cancelled(autojump_clock):
    """Then no key is held."""
    once, work = MakeOnce(), Work()
    with trio.move_on_after(0.5):
        await asked(once, work)
    assert once._making == {}
    assert await once.make("key", work) == 2


async def test_a_failure_of_the_makers_own_is_not_shared(autojump_clock):
    """The waiters run the work themselves, all at once.

    So no caller waits for several failures one after the other.
    """
    once, work = (
        MakeOnce(own_failures=BusyError),
        Work(BusyError("no slot"), None, BusyError("no slot")),
    )
    found = await asked(once, work, callers=5)
    failed = [one for one in found if isinstance(one, BusyError)]
    assert (len(failed), len(found)) == (2, 5)
    assert (work.runs, trio.current_time()) == (5, 2)


async def test_a_failure_does_not_keep_its_frames_alive(autojump_clock):
    """No reference cycle keeps them in memory until the garbage collector runs."""

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
