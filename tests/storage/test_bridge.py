"""The bridge: whole operations, slots that are never lost, and an end in bounded time."""

import asyncio
import random

import asyncpg
import pytest
import trio
from structlog.testing import capture_logs

from newsintel.errors import BusyError, UnavailableError
from newsintel.storage.bridge import DRAIN_S, open_bridge
from tests.waiting import PATIENCE_S


async def double(number):
    """An operation with one real wait."""
    await asyncio.sleep(0.001)
    return number * 2


async def test_results_and_exceptions_cross(bridge):
    """An operation's result is returned, its exception raised as it is."""
    lane = bridge.lane("test", 1)
    assert await lane.run(double, 21) == 42
    with pytest.raises(TypeError):
        await lane.run(double, None)
    assert lane.running == 0


async def test_a_cancelled_caller_leaves_at_once_and_the_operation_goes_on(bridge):
    """The caller is back at its deadline; the operation ends by itself, and then its slot is free."""
    lane = bridge.lane("test", 1)
    go_on, ended = asyncio.Event(), []

    async def slow():
        await go_on.wait()
        ended.append("whole")

    with trio.move_on_after(0.05):
        await lane.run(slow)
    assert (lane.running, ended) == (1, [])
    go_on.set()
    await lane.idle()
    assert (lane.running, ended) == (0, ["whole"])


async def test_an_exception_after_the_caller_left_disturbs_nobody(bridge, caplog):
    """A failure that nobody waits for neither ends the loop nor reaches the log."""
    lane = bridge.lane("test", 1)

    async def fail():
        await asyncio.sleep(0.05)
        raise OSError

    with trio.move_on_after(0.01):
        await lane.run(fail)
    await lane.idle()
    assert await lane.run(double, 1) == 2
    assert not caplog.records


async def test_a_full_lane_is_busy_at_once_and_the_other_lane_is_not(bridge):
    """Each store has slots of its own; a call too many starts nothing."""
    frozen, other = bridge.lane("frozen", 2), bridge.lane("other", 1)
    release = asyncio.Event()
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(frozen.run, release.wait)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(BusyError):
            await frozen.run(double, 1)
        assert await other.run(double, 1) == 2
        release.set()
    assert frozen.running == 0


async def test_an_asyncio_cancellation_is_unavailable(bridge):
    """The CancelledError of asyncio, a BaseException, does not cross."""

    async def give_up():  # noqa: ASYNC124 - an operation is a coroutine function
        raise asyncio.CancelledError

    with pytest.raises(UnavailableError):
        await bridge.lane("test", 1).run(give_up)


async def test_five_hundred_random_cancels_leave_the_lane_idle(bridge):
    """Whenever callers leave, every slot comes back."""
    lane = bridge.lane("test", 500)
    dice = random.Random(seed := random.randrange(10**6))
    print("seed", seed)  # noqa: T201

    async def call():
        with trio.move_on_after(dice.uniform(0, 0.02)):
            await lane.run(asyncio.sleep, dice.uniform(0, 0.02))

    async with trio.open_nursery() as nursery:
        for _ in range(500):
            nursery.start_soon(call)
    await lane.idle()
    assert lane.running == 0


async def test_leaving_waits_for_operations_in_the_air(monkeypatch):
    """What is nearly done is let finish."""
    monkeypatch.setattr("newsintel.storage.bridge.DRAIN_S", PATIENCE_S)
    ended = []

    async def slow():
        await asyncio.sleep(0.1)
        ended.append("whole")

    async with open_bridge() as bridge:
        with trio.move_on_after(0.01):
            await bridge.lane("test", 1).run(slow)
    assert ended == ["whole"]


async def test_leaving_is_bounded_even_when_cancelled_from_outside():
    """An operation without an end is cancelled after DRAIN_S, and no foreign exception escapes."""
    start = trio.current_time()
    with trio.fail_after(PATIENCE_S), trio.move_on_after(0.05):
        async with open_bridge() as bridge:
            await bridge.lane("test", 1).run(asyncio.Event().wait)
    assert trio.current_time() - start >= DRAIN_S


def started_by_a_driver(error):
    """An operation that leaves something of its own behind, which fails: as a driver does that closes a connection in the background."""

    def fail():
        raise error

    async def operation():
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0.01)

    return operation


@pytest.mark.parametrize(
    "error", [BrokenPipeError("gone"), ConnectionResetError(), asyncpg.InterfaceError("closed"), asyncpg.InternalClientError("out of step")]
)
async def test_a_drivers_lost_connection_is_logged_and_ends_nothing(bridge, error):
    """A driver's own task that meets a broken connection costs a line in the log; the lane goes on working."""
    lane = bridge.lane("test", 1)
    with capture_logs() as logs:
        await lane.run(started_by_a_driver(error))
        assert await lane.run(double, 21) == 42
    assert [(line["event"], line["kind"]) for line in logs] == [("driver_lost_connection", type(error).__name__)]


async def test_a_drivers_complaint_is_logged_and_ends_nothing(bridge):
    """What a driver tells the loop without an exception, as asyncpg does of a connection that comes back within a transaction."""
    lane = bridge.lane("test", 1)

    async def complain():
        asyncio.get_running_loop().call_exception_handler({"message": "Resetting connection with an active transaction"})
        await asyncio.sleep(0)

    with capture_logs() as logs:
        await lane.run(complain)
        assert await lane.run(double, 21) == 42
    assert [(line["event"], line["reason"]) for line in logs] == [
        ("driver_complains", "Resetting connection with an active transaction"),
    ]


async def test_a_bug_in_a_background_task_ends_the_bridge():
    """Any other error that nobody was told of is a bug, and surfaces."""
    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        async with open_bridge() as bridge:
            await bridge.lane("test", 1).run(started_by_a_driver(ZeroDivisionError()))
            await trio.sleep(1)
