"""The supervisor with real processes, which do nothing but obey it."""

import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from newsintel.config.values import ListenAddress
from newsintel.errors import WorkersFailedError
from newsintel.http.server.listening import open_listeners
from newsintel.runtime.workers import channel, worker_process
from newsintel.runtime.workers import supervisor as module
from newsintel.runtime.workers.connection_counts import ConnectionCounts, create_counts
from newsintel.runtime.workers.supervisor import RESTARTS, Supervisor
from newsintel.runtime.workers.worker_process import Sockets, describe_exit
from tests.runtime.workers.toy import EXPOSITION
from tests.service import ROOT
from tests.waiting import PATIENCE_S, until

MANY_SCRAPES = 1_000
"""More requests than the buffer of a socket has room for: on Linux 280, however short they are."""


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    """Workers are toys; restarts count however long they take on a busy machine."""
    monkeypatch.setattr(worker_process, "PROGRAM", (str(Path(__file__).with_name("toy.py")),))
    monkeypatch.setattr(module, "RESTARTS_IN_S", 3600)
    monkeypatch.setattr(module, "SCRAPE_S", PATIENCE_S)
    monkeypatch.setattr(worker_process, "END_NOW_S", PATIENCE_S)
    monkeypatch.setenv("PYTHONPATH", ROOT)


@asynccontextmanager
async def toy_supervisor(behaviour, workers=2, drain_s=PATIENCE_S):
    """Make a supervisor of toys; it and their port."""
    with trio.fail_after(PATIENCE_S):
        listeners = await open_listeners(ListenAddress("127.0.0.1", 0))
        port = listeners[0].socket.getsockname()[1]
        sockets = Sockets(listeners, (), create_counts())
        try:
            yield (
                Supervisor(workers, sockets, lambda given: [behaviour, given.format()], drain_s),
                port,
            )
        finally:
            os.close(sockets.counts)
            sockets.close()


@asynccontextmanager
async def supervising(behaviour="serve", **how):
    """Run toys until they all serve; drain them after the block."""
    async with (
        toy_supervisor(behaviour, **how) as (supervisor, port),
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(supervisor.run)
        await supervisor.all_serving.wait()
        yield supervisor, port
        supervisor.begin_drain()


async def who(port):
    """The number and process id of the worker that takes a new connection.

    Both are None if that worker ended before it said them.
    """
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        received = b""
        async for piece in stream:
            received += piece
    return tuple(map(int, received.split())) or (None, None)


async def find_worker(port, number, other_than=None):
    """The process id of a worker; a new one if `other_than` is its former id."""

    async def look():
        found, pid = await who(port)
        return pid if found == number and pid != other_than else None

    return await until(look)


def is_running(pid):
    """Whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_all_workers_serve_one_port_until_the_shutdown():
    """Then no process is left and the port is closed."""
    async with supervising() as (_, port):
        pids = [await find_worker(port, number) for number in (1, 2)]
        assert len({*pids, os.getpid()}) == 3
        assert all(os.getsid(pid) == pid for pid in pids)
    assert not any(map(is_running, pids))
    with pytest.raises(OSError, match="failed"):
        await who(port)


async def test_a_worker_that_is_killed_is_replaced():
    """The other one answers meanwhile; the log has the reason, the metrics the restart."""
    with capture_logs() as logs:
        async with supervising() as (supervisor, port):
            killed = await find_worker(port, 1)
            before = await supervisor.collect_metrics()
            os.kill(killed, signal.SIGKILL)
            assert (await who(port))[1] != 0
            await find_worker(port, 1, other_than=killed)
            after = await supervisor.collect_metrics()
    assert [line for line in logs if line["event"] == "worker_ended"] == [
        {
            "event": "worker_ended",
            "log_level": "error",
            "worker": 1,
            "reason": "SIGKILL",
        }
    ]
    assert EXPOSITION.count(b"1") == 1
    assert b"\ntoy_total 2.0\n" in before
    assert b"\nnewsintel_worker_restarts_total 0.0\n" in before
    assert b"\ntoy_total 3.0\n" in after  # the ended one, the new one and the other one
    assert b"\nnewsintel_worker_restarts_total 1.0\n" in after


async def test_the_connections_of_a_killed_worker_count_no_more():
    """The others may have as many more until its successor takes some."""
    async with supervising() as (supervisor, port):
        one, two = (ConnectionCounts(supervisor._sockets.counts, number) for number in (1, 2))
        killed = await find_worker(port, 1)
        one.report(5)
        assert two.count_others() == 5
        os.kill(killed, signal.SIGKILL)
        await find_worker(port, 1, other_than=killed)
        assert two.count_others() == 0


async def test_a_worker_that_does_not_answer_a_scrape_counts_with_its_last_numbers(monkeypatch):
    """Nobody waits for it longer than SCRAPE_S, and no sum falls."""
    async with supervising() as (supervisor, port):
        stopped = await find_worker(port, 2)
        assert b"\ntoy_total 2.0\n" in await supervisor.collect_metrics()
        os.kill(stopped, signal.SIGSTOP)
        try:
            with monkeypatch.context() as short:
                short.setattr(module, "SCRAPE_S", 0.1)
                assert b"\ntoy_total 2.0\n" in await supervisor.collect_metrics()
        finally:
            os.kill(stopped, signal.SIGCONT)


async def test_a_worker_that_was_stopped_for_many_scrapes_still_obeys(monkeypatch):
    """It is asked once in that time, so its socket keeps room for what the supervisor says next."""
    monkeypatch.setattr(worker_process, "_end_process", None)  # nobody is ended at once
    with capture_logs() as logs:
        async with supervising() as (supervisor, port):
            stopped = await find_worker(port, 2)
            os.kill(stopped, signal.SIGSTOP)
            for _ in range(MANY_SCRAPES):
                async with trio.open_nursery() as leaving:
                    leaving.start_soon(supervisor.collect_metrics)
                    await trio.testing.wait_all_tasks_blocked()
                    leaving.cancel_scope.cancel()
            os.kill(stopped, signal.SIGCONT)
            assert b"\ntoy_total 2.0\n" in await supervisor.collect_metrics()
            assert await find_worker(port, 2) == stopped
    assert not is_running(stopped)
    assert not logs


async def test_a_worker_that_cannot_be_told_anything_is_replaced(monkeypatch):
    """It notices that its channel is closed, and ends in order."""
    monkeypatch.setattr(worker_process, "_end_process", None)
    with capture_logs() as logs:
        async with supervising() as (supervisor, port):
            pids = [await find_worker(port, number) for number in (1, 2)]
            with monkeypatch.context() as stuck:
                stuck.setattr(channel, "SEND_S", 0.0)
                await supervisor.collect_metrics()
            for number, pid in zip((1, 2), pids, strict=True):
                await find_worker(port, number, other_than=pid)
            assert b"\nnewsintel_worker_restarts_total 2.0\n" in await supervisor.collect_metrics()
    assert sorted((line["event"], line.get("reason")) for line in logs) == [
        ("channel_cut", None),
        ("channel_cut", None),
        ("worker_ended", "exit code 0"),
        ("worker_ended", "exit code 0"),
    ]


async def test_too_many_restarts_end_the_service():
    """All others are drained. The error names the last worker that ended and why."""
    with capture_logs() as logs:
        async with toy_supervisor("serve,die") as (supervisor, port):

            async def kill_repeatedly():
                await supervisor.all_serving.wait()
                while True:
                    await supervisor.collect_metrics()
                    await trio.sleep(0.02)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(kill_repeatedly)
                with pytest.raises(
                    WorkersFailedError,
                    match=rf"^worker 2 ended \(SIGKILL\), after {RESTARTS} restarts in 3600 s$",
                ):
                    await supervisor.run()
                nursery.cancel_scope.cancel()
    assert [line["worker"] for line in logs if line["event"] == "worker_ended"] == (
        [2] * (RESTARTS + 1)
    )
    with pytest.raises(OSError, match="failed"):
        await who(port)


async def test_a_worker_that_never_serves_ends_the_service_at_once():
    """A restart would not help: the first start has failed."""
    async with toy_supervisor("serve,refuse") as (supervisor, _):
        with pytest.raises(
            WorkersFailedError, match=r"^worker 2 ended before it served: exit code 7$"
        ):
            await supervisor.run()


async def test_a_worker_that_cannot_be_started_is_one_line(monkeypatch):
    """The message has the system's reason."""
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    async with toy_supervisor("serve", workers=1) as (supervisor, _):
        with pytest.raises(
            WorkersFailedError,
            match=r"^worker 1 ended before it served: cannot be started: No such file or",
        ):
            await supervisor.run()


async def test_a_restart_that_cannot_be_started_drains_the_others(monkeypatch):
    """It is tried again within the budget. The other worker ends in order, not at once."""
    with capture_logs() as logs:
        async with toy_supervisor("serve") as (supervisor, port):

            async def kill_one():
                await supervisor.all_serving.wait()
                monkeypatch.setattr(sys, "executable", "/no/such/python")
                os.kill(await find_worker(port, 2), signal.SIGKILL)

            monkeypatch.setattr(worker_process, "_end_process", None)  # nobody is ended at once
            async with trio.open_nursery() as nursery:
                nursery.start_soon(kill_one)
                with pytest.raises(
                    WorkersFailedError,
                    match=rf"^worker 2 ended \(cannot be started: .*\), after {RESTARTS} restarts",
                ):
                    await supervisor.run()
    ended = [line["reason"] for line in logs if line["event"] == "worker_ended"]
    assert ended[0] == "SIGKILL"
    assert set(ended[1:]) == {"cannot be started: No such file or directory"}
    assert len(ended) == RESTARTS + 1


async def test_a_worker_that_does_not_drain_is_killed(monkeypatch):
    """Its time is DRAIN_S and the slack in which it should have ended itself."""
    monkeypatch.setattr(worker_process, "END_NOW_S", 0.0)
    monkeypatch.setattr(module, "END_SLACK_S", 0.0)
    with capture_logs() as logs:
        async with supervising("serve,deaf", drain_s=0.0) as (_, port):
            pids = [await find_worker(port, number) for number in (1, 2)]
    assert not any(map(is_running, pids))
    assert pids[1] in [line["pid"] for line in logs if line["event"] == "worker_killed"]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "exit code 0"),
        (1, "exit code 1"),
        (-9, "SIGKILL"),
        (-35, "signal 35"),
        (-99, "signal 99"),
    ],
)
def test_exit_codes_are_described(code, text):
    """Signals have their names, if they have one."""
    assert describe_exit(code) == text
