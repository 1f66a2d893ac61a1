"""Several workers on one listening socket: the numbers that they share, and who accepts."""

import errno
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, asynccontextmanager
from itertools import pairwise

import pytest
import trio
import trio.testing
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from newsintel.config.workers import MOST_WORKERS
from newsintel.runtime.workers.batch_listener import LOST, MOST_AT_ONCE, YIELD_S, BatchListener
from newsintel.runtime.workers.connection_counts import (
    ABSENT,
    NO_OTHERS,
    ConnectionCounts,
    create_counts,
)
from tests.service import ROOT
from tests.waiting import PATIENCE_S


@asynccontextmanager
async def listening(count_due=lambda: MOST_AT_ONCE):
    """A listener on a free port, and the port."""
    (found,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with BatchListener(found, count_due) as listener:
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
    ("own", "others", "due"),
    [
        (0, [0], 1),
        (1, [0], 0),
        (1, [1], 1),
        (2, [1], 0),
        (5, [4], 1),
        (6, [4], 0),
        (0, [80], 101),
        (60, [80], 41),
        (100, [80], 1),
        (101, [80], 0),
        (9, [ABSENT], NO_OTHERS),
        (9, [ABSENT, 3], 0),
        (9, [100, 3], 0),
        (0, [], NO_OTHERS),
    ],
)
def test_how_many_connections_are_due(memory, own, others, due):
    """Up to a quarter more than the worker with the fewest; absent ones do not count."""
    mine, *_ = counts_of(memory, [own, *others])
    assert mine.count_due() == due


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=MOST_WORKERS))
def test_something_is_always_due_to_somebody(numbers):
    """So a connection never waits for a worker that lets others go first."""
    descriptor = create_counts()
    try:
        views = counts_of(descriptor, numbers)
        assert any(view.count_due() for view in views)
        for number, view in zip(numbers, views, strict=True):
            assert view.count_others() == sum(numbers) - number
    finally:
        os.close(descriptor)


def test_a_worker_that_left_counts_nothing(memory):
    """Neither its connections nor its place."""
    first, second = counts_of(memory, [4, 1])
    second.leave()
    assert first.count_others() == 0
    assert first.count_due() == NO_OTHERS


async def test_a_worker_with_nothing_due_lets_others_go_first(autojump_clock):
    """It waits YIELD_S once; if nobody else takes the connection, it does."""
    async with listening(lambda: 0) as (listener, port):
        with socket.create_connection(("127.0.0.1", port)):
            began = trio.current_time()
            stream = await listener.accept()
            assert trio.current_time() - began == pytest.approx(YIELD_S)
            await stream.aclose()


async def test_a_connection_that_another_worker_took_is_not_waited_for(autojump_clock):
    """Then it waits for the next one, and asks again what is due."""
    asked = []

    def count_due():
        asked.append(1)
        if len(asked) == 1:
            other.accept()[0].close()
        return 1

    async with listening(count_due) as (listener, port):
        other = socket.socket(fileno=os.dup(listener.socket.fileno()))
        with other, ExitStack() as clients:
            clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            with trio.fail_after(PATIENCE_S):
                async with trio.open_nursery() as nursery:
                    accepted = []

                    async def accept():
                        accepted.append(await listener.accept())

                    nursery.start_soon(accept)
                    await trio.testing.wait_all_tasks_blocked()
                    assert (accepted, len(asked)) == ([], 2)
                    clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            assert len(asked) == 4
            await accepted[0].aclose()


@define(eq=False)
class Turns(trio.abc.Instrument):
    """How many connections were accepted by the end of each turn of the loop."""

    taken: list = field(factory=list)
    turns: list[int] = field(factory=list)

    def before_io_wait(self, timeout):
        """Note the end of a turn."""
        self.turns.append(len(self.taken))


@pytest.mark.parametrize(
    ("due", "searching", "most"),
    [(1, False, 1), (7, False, 7), (NO_OTHERS, False, MOST_AT_ONCE), (NO_OTHERS, True, 1)],
)
async def test_a_crowd_is_accepted_in_few_turns(due, searching, most):
    """In one turn as many as are due, at most MOST_AT_ONCE; the first in the queue first.

    But only one while a search runs.
    """
    counting = Turns()
    async with listening(lambda: due) as (listener, port):
        listener.is_searching = lambda: searching
        with ExitStack() as opened:
            clients = [
                opened.enter_context(socket.create_connection(("127.0.0.1", port)))
                for _ in range(2 * MOST_AT_ONCE + 5)
            ]
            trio.lowlevel.add_instrument(counting)
            try:
                with trio.fail_after(PATIENCE_S):
                    for _ in clients:
                        counting.taken.append(await listener.accept())
            finally:
                trio.lowlevel.remove_instrument(counting)
            accepted = [stream.socket.getpeername() for stream in counting.taken]
            for stream in counting.taken:
                await stream.aclose()
            assert accepted == [client.getsockname() for client in clients]
            steps = [now - before for before, now in pairwise([*counting.turns, len(accepted)])]
            assert max(steps) == most


class FailingSocket:
    """A listening socket of which the system refuses some connections."""

    def __init__(self, sock, errors):
        self._sock, self._errors = sock, errors

    def __getattr__(self, name):
        """Return the real one's."""
        return getattr(self._sock, name)

    def accept(self):
        """Fail as told, else accept."""
        if self._errors:
            raise OSError(self._errors.pop(0), "as told")
        return self._sock.accept()


async def test_a_connection_that_is_lost_in_the_queue_ends_nothing():
    """The next one is accepted, whatever the system says of the lost ones."""
    async with listening() as (listener, port):
        listener._raw = FailingSocket(listener._raw, sorted(LOST))
        with socket.create_connection(("127.0.0.1", port)) as client, trio.fail_after(PATIENCE_S):
            stream = await listener.accept()
            assert stream.socket.getpeername() == client.getsockname()
            await stream.aclose()


ACCEPT_2 = (
    "ENETDOWN EPROTO ENOPROTOOPT EHOSTDOWN ENONET EHOSTUNREACH EOPNOTSUPP ENETUNREACH "
    "ECONNABORTED EPERM ENOSR ESOCKTNOSUPPORT EPROTONOSUPPORT ETIMEDOUT"
)
"""The errors of one connection that accept(2) of Linux names."""


def test_errors_of_one_connection_are_those_of_the_manual():
    """Any other ends the service. Some systems also say that a waiting client has left."""
    named = {getattr(errno, name) for name in ACCEPT_2.split() if hasattr(errno, name)}
    assert {*named, errno.ECONNRESET} == LOST


async def test_without_room_it_fails_after_what_it_took():
    """`accept_connections` waits after such an error, and calls again."""
    async with listening() as (listener, port):
        with ExitStack() as opened, trio.fail_after(PATIENCE_S):
            for _ in range(2):
                opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            listener._raw = FailingSocket(listener._raw, [errno.EMFILE])
            with pytest.raises(OSError, match="as told"):
                await listener.accept()
            streams = [await listener.accept() for _ in range(2)]
            for stream in streams:
                await stream.aclose()


async def test_what_was_taken_is_closed_with_the_listener():
    """A client sees the end, not silence; and whoever waits in `accept` is told."""
    async with listening() as (listener, port):
        with ExitStack() as opened, trio.fail_after(PATIENCE_S):
            clients = [
                opened.enter_context(socket.create_connection(("127.0.0.1", port)))
                for _ in range(2)
            ]
            first = await listener.accept()
            await listener.aclose()
            clients[1].settimeout(PATIENCE_S)
            assert clients[1].recv(1) == b""
            await first.aclose()
            with pytest.raises(trio.ClosedResourceError):
                await listener.accept()
