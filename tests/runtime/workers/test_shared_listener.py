"""Several workers on one listening socket: the numbers that they share, and who accepts."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack, asynccontextmanager

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.workers import MOST_WORKERS
from newsintel.runtime.workers.connection_counts import (
    ABSENT,
    ConnectionCounts,
    create_counts,
)
from newsintel.runtime.workers.shared_listener import TAKE_S, YIELD_S, SharedListener
from tests.service import ROOT
from tests.waiting import PATIENCE_S


@asynccontextmanager
async def listening(is_ahead):
    """A shared listener on a free port."""
    (found,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with SharedListener(found, is_ahead) as listener:
        yield listener, found.socket.getsockname()[1]


@pytest.fixture
def memory():
    """The shared memory."""
    descriptor = create_counts()
    yield descriptor
    os.close(descriptor)


def counts_of(memory, numbers):
    """Return the view of each worker, after each reported its number."""
    views = [ConnectionCounts(memory, worker) for worker in range(1, len(numbers) + 1)]
    for view, number in zip(views, numbers, strict=True):
        view.report(number)
    return views


def test_other_processes_see_the_numbers(memory):
    """A process that inherits the memory reads and writes the same numbers."""
    first, _ = counts_of(memory, [3, 0])
    code = (
        "from newsintel.runtime.workers.connection_counts import ConnectionCounts as C\n"
        f"c = C({memory}, 2); print(c.count_others()); c.report(7)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        pass_fds=(memory,),
        env={"PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "3\n"
    assert first.count_others() == 7


def test_systems_without_memfd_use_a_file(monkeypatch):
    """macOS has none."""
    monkeypatch.delattr(os, "memfd_create")
    descriptor = create_counts()
    try:
        first, second = counts_of(descriptor, [2, 5])
        assert (first.count_others(), second.count_others()) == (5, 2)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("own", "others", "ahead"),
    [
        (0, [0], False),
        (1, [0], True),
        (1, [1], False),
        (2, [1], True),
        (5, [4], False),
        (6, [4], True),
        (100, [80], False),
        (101, [80], True),
        (9, [ABSENT], False),
        (9, [ABSENT, 3], True),
        (9, [100, 3], True),
        (0, [], False),
    ],
)
def test_who_is_ahead(memory, own, others, ahead):
    """A worker with clearly more than another one that accepts; absent ones do not count."""
    mine, *_ = counts_of(memory, [own, *others])
    assert mine.is_ahead() is ahead


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=MOST_WORKERS))
def test_somebody_is_never_ahead(numbers):
    """So a connection never waits for a worker that lets others go first."""
    descriptor = create_counts()
    try:
        views = counts_of(descriptor, numbers)
        assert not all(view.is_ahead() for view in views)
        for number, view in zip(numbers, views, strict=True):
            assert view.count_others() == sum(numbers) - number
    finally:
        os.close(descriptor)


def test_a_worker_that_left_counts_nothing(memory):
    """Neither its connections nor its place."""
    first, second = counts_of(memory, [4, 1])
    second.leave()
    assert first.count_others() == 0
    assert not first.is_ahead()


async def test_a_worker_that_is_ahead_lets_others_go_first(autojump_clock):
    """It waits YIELD_S once; if nobody else takes the connection, it does."""
    async with listening(lambda: True) as (listener, port):
        with socket.create_connection(("127.0.0.1", port)):
            began = trio.current_time()
            stream = await listener.accept()
            assert trio.current_time() - began == pytest.approx(YIELD_S)
            await stream.aclose()


async def test_a_connection_that_another_worker_took_is_not_waited_for(autojump_clock):
    """Then it waits for the next one, and asks again who is ahead."""
    asked = []

    def is_ahead():
        asked.append(1)
        if len(asked) == 1:
            other.accept()[0].close()
        return False

    async with listening(is_ahead) as (listener, port):
        other = socket.socket(fileno=os.dup(listener.socket.fileno()))
        with other, ExitStack() as clients:
            clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            with trio.fail_after(PATIENCE_S):
                async with trio.open_nursery() as nursery:
                    accepted = []

                    async def accept():
                        accepted.append(await listener.accept())

                    nursery.start_soon(accept)
                    await trio.sleep(TAKE_S * 10)
                    assert (accepted, len(asked)) == ([], 1)
                    clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            assert len(asked) == 2
            await accepted[0].aclose()
