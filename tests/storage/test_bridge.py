"""The bridge: operations run to their end, no slot is lost, and closing takes bounded time."""

import asyncio
import random
import socket
import threading

import asyncpg
import pytest
import trio
from structlog.testing import capture_logs

from newsintel.errors import BusyError, UnavailableError
from newsintel.storage.bridge import DRAIN_S, open_bridge
from tests.waiting import PATIENCE_S


async def double(number):
    """An operation that really waits once."""
    await asyncio.sleep(0.001)
    return number * 2


async def test_results_and_exceptions_cross(bridge):
    """The caller gets an operation's result, or its unchanged exception."""
    lane = bridge.add_lane("test", 1)
    assert await lane.run(double, 21) == 42
    with pytest.raises(TypeError):
        await lane.run(double, None)
    assert lane.running == 0


async def test_cancelled_caller_leaves_at_once_and_the_operation_runs_on(bridge):
    """The caller returns at its deadline. The operation ends later, and then its slot is free."""
    lane = bridge.add_lane("test", 1)
    go_on, ended = asyncio.Event(), []

    async def slow():
        await go_on.wait()
        ended.append("whole")

    with trio.move_on_after(0.05):
        await lane.run(slow)
    assert (lane.running, ended) == (1, [])
    go_on.set()
    await lane.wait_until_idle()
    assert (lane.running, ended) == (0, ["whole"])


async def test_exception_after_the_caller_left_is_dropped(bridge, caplog):
    """It neither ends the loop nor reaches the log."""
    lane = bridge.add_lane("test", 1)

    async def fail():
        await asyncio.sleep(0.05)
        raise OSError

    with trio.move_on_after(0.01):
        await lane.run(fail)
    await lane.wait_until_idle()
    assert await lane.run(double, 1) == 2
    assert not caplog.records


async def test_full_lane_is_busy_and_the_other_lane_is_not(bridge):
    """Each store has its own slots. A call without a slot starts nothing."""
    frozen, other = bridge.add_lane("frozen", 2), bridge.add_lane("other", 1)
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


async def test_a_look_up_without_an_answer_delays_neither_closing_nor_others(monkeypatch):
    """Nobody can end the thread of a look-up, and a resolver may take half a minute."""
    answer, asked = threading.Event(), trio.Event()
    token = trio.lowlevel.current_trio_token()

    def hang(*_given):
        token.run_sync_soon(asked.set)
        answer.wait(PATIENCE_S)

    async def connect():
        async with asyncio.timeout(0.05):
            await asyncio.get_running_loop().getaddrinfo("name.example", 5432)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        with trio.fail_after(PATIENCE_S / 2):
            async with open_bridge() as bridge:
                with pytest.raises(TimeoutError):
                    await bridge.add_lane("test", 1).run(connect)
                await asked.wait()
                threads = trio.to_thread.current_default_thread_limiter()
                assert threads.borrowed_tokens == 0
    finally:
        answer.set()


async def test_asyncio_cancellation_is_unavailable(bridge):
    """asyncio's CancelledError is a BaseException and does not cross the bridge."""

    async def give_up():  # noqa: ASYNC124 - an operation is a coroutine function
        raise asyncio.CancelledError

    with pytest.raises(UnavailableError):
        await bridge.add_lane("test", 1).run(give_up)


async def test_random_cancels_leak_no_slot(bridge):
    """500 callers leave at random moments, and every slot becomes free."""
    lane = bridge.add_lane("test", 500)
    dice = random.Random(seed := random.randrange(10**6))
    print("seed", seed)  # noqa: T201

    async def call():
        with trio.move_on_after(dice.uniform(0, 0.02)):
            await lane.run(asyncio.sleep, dice.uniform(0, 0.02))

    async with trio.open_nursery() as nursery:
        for _ in range(500):
            nursery.start_soon(call)
    await lane.wait_until_idle()
    assert lane.running == 0


async def test_closing_waits_for_running_operations(monkeypatch):
    """Operations that end soon are not cancelled."""
    monkeypatch.setattr("newsintel.storage.bridge.DRAIN_S", PATIENCE_S)
    ended = []

    async def slow():
        await asyncio.sleep(0.1)
        ended.append("whole")

    async with open_bridge() as bridge:
        with trio.move_on_after(0.01):
            await bridge.add_lane("test", 1).run(slow)
    assert ended == ["whole"]


async def test_closing_is_bounded_even_when_cancelled():
    """An operation without an end is cancelled after DRAIN_S, and no foreign exception escapes."""
    start = trio.current_time()
    with trio.fail_after(PATIENCE_S), trio.move_on_after(0.05):
        async with open_bridge() as bridge:
            await bridge.add_lane("test", 1).run(asyncio.Event().wait)
    assert trio.current_time() - start >= DRAIN_S


def started_by_a_driver(error):
    """An operation that leaves a failing callback behind.

    A driver does this when it closes a connection in the background.
    """

    def fail():
        raise error

    async def operation():
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0.01)

    return operation


@pytest.mark.parametrize(
    "error",
    [
        BrokenPipeError("gone"),
        ConnectionResetError(),
        asyncpg.InterfaceError("closed"),
        asyncpg.InternalClientError("out of step"),
    ],
)
async def test_lost_connection_of_a_driver_is_only_logged(bridge, error):
    """A driver's own task meets a broken connection.

    The log gets a line, and the lane still works.
    """
    lane = bridge.add_lane("test", 1)
    with capture_logs() as logs:
        await lane.run(started_by_a_driver(error))
        assert await lane.run(double, 21) == 42
    assert [(line["event"], line["kind"]) for line in logs] == [
        ("driver_lost_connection", type(error).__name__)
    ]


async def test_driver_message_without_exception_is_only_logged(bridge):
    """asyncpg reports a connection that is released inside a transaction like this."""
    lane = bridge.add_lane("test", 1)

    async def complain():
        asyncio.get_running_loop().call_exception_handler(
            {"message": "Resetting connection with an active transaction"}
        )
        await asyncio.sleep(0)

    with capture_logs() as logs:
        await lane.run(complain)
        assert await lane.run(double, 21) == 42
    assert [(line["event"], line["reason"]) for line in logs] == [
        ("driver_complains", "Resetting connection with an active transaction"),
    ]


async def test_bug_in_a_background_task_ends_the_bridge():
    """Any other error outside our operations is a bug."""
    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        async with open_bridge() as bridge:
            await bridge.add_lane("test", 1).run(started_by_a_driver(ZeroDivisionError()))
            await trio.sleep(1)
