"""The load generator against real servers: if it counts wrong, every figure is wrong."""

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.client import Job, Keep, run_job

Serve = Callable[[socket.socket], None]


@contextmanager
def _server(serve: Serve) -> Iterator[int]:
    """A server that gives each connection to `serve` in its own thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=_serve, args=(connection,)))
            threads[-1].start()

    def _serve(connection: socket.socket) -> None:
        with connection:
            serve(connection)

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)


def _answer(body: bytes, *more: str, status: str = "200 OK") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more])
    return f"{head}\r\n\r\n".encode() + body


def _target(connection: socket.socket) -> str | None:
    asked = connection.recv(65_536)
    return asked.split(b" ")[1].decode() if asked else None


def _echo(connection: socket.socket) -> None:
    while (target := _target(connection)) is not None:
        connection.sendall(_answer(target.encode()))


@pytest.mark.parametrize("connections", [1, 3, 20])
def test_each_target_is_requested_once(connections):
    """Without `seconds` each target is requested once, whatever the number of connections.

    Its own answer is kept.
    """
    targets = [f"/{number}" for number in range(10)]
    with _server(_echo) as port:
        load = run_job(Job((port,), targets, connections, keep=Keep.ALL))
    assert sorted((one.target, one.body.decode()) for one in load.answers) == sorted(
        (target, target) for target in targets
    )
    assert load.failed == 0
    assert all(0 < one.latency_s <= load.seconds for one in load.answers)
    assert load.rate == pytest.approx(10 / load.seconds)


def test_targets_repeat_until_the_time_is_over():
    """With `seconds` the targets repeat; the digest of an answer is kept, or nothing."""
    with _server(_echo) as port:
        load = run_job(Job((port,), ["/a", "/b"], 2, seconds=0.2, keep=Keep.DIGEST))
        bare = run_job(Job((port,), ["/a"], 1, seconds=0.05))
    assert load.seconds >= 0.2
    assert load.answers
    assert {one.digest for one in load.answers} <= {
        hashlib.sha256(body).hexdigest() for body in (b"/a", b"/b")
    }
    assert not any(one.body for one in load.answers)
    assert not any(one.body or one.digest for one in bare.answers)


def test_an_answer_in_pieces_is_one_answer():
    """A response in single bytes is one response, timed to its last byte."""

    def drip(connection: socket.socket) -> None:
        while _target(connection) is not None:
            for byte in _answer(b"body"):
                connection.sendall(bytes([byte]))

    with _server(drip) as port:
        load = run_job(Job((port,), ["/"] * 3, keep=Keep.ALL))
    assert [one.body for one in load.answers] == [b"body"] * 3


def test_other_statuses_are_failures():
    """A 503 is an answer and a failure."""

    def refuse(connection: socket.socket) -> None:
        while _target(connection) is not None:
            connection.sendall(_answer(b"", status="503 Service Unavailable"))

    with _server(refuse) as port:
        load = run_job(Job((port,), ["/"] * 2))
    assert ([one.status for one in load.answers], load.failed, load.rate) == ([503, 503], 2, 0)


def test_connection_close_fails_no_request():
    """After `Connection: close` the next request uses a new connection, and none fails."""

    def once(connection: socket.socket) -> None:
        _target(connection)
        connection.sendall(_answer(b"x", "Connection: close"))

    with _server(once) as port:
        load = run_job(Job((port,), ["/"] * 4))
    assert (len(load.answers), load.failed, load.reconnects) == (4, 0, 4)


def test_a_broken_connection_is_a_failed_request():
    """It counts as status 0, and the other requests are still sent."""
    broken = threading.Event()

    def break_once(connection: socket.socket) -> None:
        if not broken.is_set():
            broken.set()
            _target(connection)
            return
        _echo(connection)

    with _server(break_once) as port:
        load = run_job(Job((port,), ["/a", "/b"]))
    assert [(one.target, one.status) for one in load.answers] == [("/a", 0), ("/b", 200)]


def test_a_request_that_times_out_fails():
    """A request that times out fails, and its latency is the time until then."""

    def ignore(connection: socket.socket) -> None:
        while _target(connection) is not None:
            pass

    with _server(ignore) as port:
        load = run_job(Job((port,), ["/"], patience_s=0.2))
    assert [one.status for one in load.answers] == [0]
    assert load.answers[0].latency_s >= 0.2


def test_connections_are_distributed_among_servers():
    """Connections go to the servers in turn."""
    with _server(_echo) as one, _server(_echo) as other:
        load = run_job(Job((one, other), ["/"] * 4, 4, keep=Keep.ALL))
    assert len(load.answers) == 4
    assert load.failed == 0
