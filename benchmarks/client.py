"""The load generator: HTTP/1.1 over plain sockets, a closed loop per connection.

It uses one epoll and no framework, so that it needs far less CPU time than any server;
`python -m benchmarks hit` measures and shows its cost. A request's latency runs from before its
first byte is sent until its answer's last byte has arrived.
"""

import hashlib
import os
import re
import select
import socket
import time
from collections.abc import Sequence
from enum import StrEnum
from itertools import cycle, islice

from attrs import define, field, frozen

RECEIVE_BYTES = 262_144
_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: close", re.IGNORECASE)


class Keep(StrEnum):
    """What is stored of an answer beside its latency and status."""

    NOTHING = "nothing"
    DIGEST = "digest"
    ALL = "all"


@frozen
class Job:
    """The requests to send, and how.

    Attributes:
        ports: of servers on 127.0.0.1; connections are distributed among them in turn.
        targets: request targets (path and query), sent in this order by the next free connection.
        seconds: duration, in which the targets repeat as needed; None: each target once.
        connections: number of parallel requests.
        patience_s: timeout; a request that takes longer gets status 0, its connection is closed.
        headers: further header lines of each request, each with its line end.
    """

    ports: tuple[int, ...]
    targets: Sequence[str]
    connections: int = 1
    seconds: float | None = None
    keep: Keep = Keep.NOTHING
    patience_s: float = 10.0
    headers: str = ""


@frozen
class TimedAnswer:
    """One answer. Status 0: no answer came, or the connection broke."""

    target: str
    began_s: float
    latency_s: float
    status: int
    body: bytes = b""
    digest: str = ""


@frozen
class LoadResult:
    """The result of a job.

    Attributes:
        seconds: from the first request to the last answer.
        cpu_s: CPU time of the load generator itself in that time.
        reconnects: connections that were opened again after they ended or timed out.
    """

    answers: list[TimedAnswer]
    seconds: float
    cpu_s: float
    reconnects: int

    @property
    def rate(self) -> float:
        """Answers with status 200 per second."""
        return sum(one.status == 200 for one in self.answers) / self.seconds

    @property
    def latencies_ms(self) -> list[float]:
        """The latencies of all answers."""
        return [one.latency_s * 1000 for one in self.answers]

    @property
    def failed(self) -> int:
        """The number of requests without a 200."""
        return sum(one.status != 200 for one in self.answers)


@define
class _Connection:
    """A connection with its running request."""

    port: int
    socket: socket.socket
    target: str = ""
    began_s: float = 0.0
    buffer: bytearray = field(factory=bytearray)
    wanted: int | None = None
    status: int = 0
    closes: bool = False


def pin_to_core(core: int) -> None:
    """Pin this process to one core, if there are several."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def run_job(job: Job) -> LoadResult:
    """Run a job. All connections are open before the first request is sent."""
    return _Driver(job).run()


class _Driver:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._targets = iter(job.targets) if job.seconds is None else cycle(job.targets)
        self._poll = select.epoll()
        self._lines: dict[int, _Connection] = {}
        self._answers: list[TimedAnswer] = []
        self._reconnects = 0

    def run(self) -> LoadResult:
        job = self._job
        for port in islice(cycle(job.ports), job.connections):
            self._connect(port)
        lines = list(self._lines.values())
        began_s, cpu_s = time.perf_counter(), time.process_time()
        self._end_s = began_s + job.seconds if job.seconds is not None else float("inf")
        for line in lines:
            self._send_next(line)
        while self._lines:
            for number, _ in self._poll.poll(0.05):
                if number in self._lines:
                    self._read_answer(self._lines[number])
            self._fail_overdue()
        self._poll.close()
        return LoadResult(
            self._answers,
            time.perf_counter() - began_s,
            time.process_time() - cpu_s,
            self._reconnects,
        )

    def _connect(self, port: int) -> _Connection:
        line = _Connection(port, socket.create_connection(("127.0.0.1", port), timeout=10))
        line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.socket.setblocking(False)
        self._poll.register(line.socket.fileno(), select.EPOLLIN)
        self._lines[line.socket.fileno()] = line
        return line

    def _close(self, line: _Connection) -> None:
        self._poll.unregister(line.socket.fileno())
        del self._lines[line.socket.fileno()]
        line.socket.close()

    def _send_next(self, line: _Connection) -> None:
        """Send the next request, or close the connection if no request or time is left."""
        target = next(self._targets, None) if time.perf_counter() < self._end_s else None
        if target is None:
            self._close(line)
            return
        line.target, line.wanted = target, None
        line.buffer.clear()
        line.began_s = time.perf_counter()
        head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{self._job.headers}\r\n"
        line.socket.send(head.encode())

    def _read_answer(self, line: _Connection) -> None:
        try:
            piece = line.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._record_failure(line)
            return
        line.buffer += piece
        if line.wanted is None and (end := line.buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(line.buffer[: end + 2])
            status, length = _HEAD.match(head), _LENGTH.search(head)
            if status is None or length is None:
                raise ValueError(f"cannot read {head!r}")
            line.status, line.wanted, line.closes = (
                int(status[1]),
                end + 4 + int(length[1]),
                _CLOSES.search(head) is not None,
            )
        if line.wanted is not None and len(line.buffer) >= line.wanted:
            self._record_answer(line)

    def _record_answer(self, line: _Connection) -> None:
        latency_s = time.perf_counter() - line.began_s
        body, digest = b"", ""
        if self._job.keep is not Keep.NOTHING:
            body = bytes(line.buffer[line.buffer.find(b"\r\n\r\n") + 4 :])
        if self._job.keep is Keep.DIGEST:
            body, digest = b"", hashlib.sha256(body).hexdigest()
        self._answers.append(
            TimedAnswer(line.target, line.began_s, latency_s, line.status, body, digest)
        )
        if line.closes:
            line = self._reconnect(line)
        self._send_next(line)

    def _record_failure(self, line: _Connection) -> None:
        self._answers.append(
            TimedAnswer(line.target, line.began_s, time.perf_counter() - line.began_s, 0)
        )
        self._send_next(self._reconnect(line))

    def _reconnect(self, line: _Connection) -> _Connection:
        self._close(line)
        self._reconnects += 1
        return self._connect(line.port)

    def _fail_overdue(self) -> None:
        latest_s = time.perf_counter() - self._job.patience_s
        for line in [line for line in self._lines.values() if line.began_s < latest_s]:
            self._record_failure(line)
