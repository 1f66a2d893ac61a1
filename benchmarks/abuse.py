"""`python -m benchmarks.abuse` measures what crowds of hostile clients cost another client.

A client asks for a search that the service has in memory, alone and beside each crowd in turns. The
crowds hold idle connections, send heads and bodies byte by byte, or read nothing. The ratio of the
99th percentiles is what the crowd costs; ratios of one run do not depend on the machine's speed.
"""

import argparse
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from attrs import frozen

from benchmarks.client import Job
from benchmarks.numbers import compute_ratio, percentile
from benchmarks.rig import Rig, Server, open_rig
from benchmarks.table import format_table

TARGET = "/articles?q=climate"
PER_ADDRESS = 200
DRIP_S = 0.5
"""The pause between two bytes of a client that drips."""

SETTLE_S = 1.0
"""The pause in which the server takes up what a crowd sent, or notices that it has left."""


@frozen
class Crowd:
    """Clients that do the same: what each sends first, and then again and again."""

    number: int
    says: bytes = b""
    drips: bytes = b""


HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /auth/logout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n"
LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4
CROWDS = {
    "5,000 idle connections": Crowd(5_000),
    "1,000 slow heads": Crowd(1_000, HEAD, b"x"),
    "1,000 slow bodies": Crowd(1_000, BODY, b"x"),
    "500 slow readers": Crowd(500, LARGE),
}


@contextmanager
def gather(crowd: Crowd, port: int) -> Iterator[list[socket.socket]]:
    """Connect a crowd, and let it drip, until the block ends."""
    done = threading.Event()
    with ExitStack() as opened:
        clients = []
        for number in range(crowd.number):
            client = opened.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.bind((f"127.0.1.{1 + number // PER_ADDRESS}", 0))
            client.connect(("127.0.0.1", port))
            client.setblocking(False)
            clients.append(client)
            _say(client, crowd.says)
        dripping = threading.Thread(target=_drip, args=(clients, crowd.drips, done))
        dripping.start()
        try:
            yield clients
        finally:
            done.set()
            dripping.join()


def _drip(clients: list[socket.socket], data: bytes, done: threading.Event) -> None:
    while data and not done.is_set():
        for client in clients:
            _say(client, data)
        done.wait(DRIP_S)


def _say(client: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # the server cuts clients that are too slow
        client.send(data)


def count_open(clients: list[socket.socket]) -> int:
    """Return how many connections the server has not closed."""
    closed = 0
    for client in clients:
        with suppress(BlockingIOError):
            try:
                closed += client.recv(1, socket.MSG_PEEK) == b""
            except ConnectionError:
                closed += 1
    return len(clients) - closed


def measure(rig: Rig, server: Server, seconds: float) -> tuple[float, int]:
    """Return the 99th percentile in milliseconds, and the number of requests without a 200."""
    result = rig.run_load(Job((server.port,), [TARGET], connections=4, seconds=seconds))
    return percentile(result.latencies_ms, 0.99), result.failed


def main() -> None:
    """Print a table with a row for each crowd."""
    parser = argparse.ArgumentParser(description=__doc__, prog="just bench-abuse")
    parser.add_argument("--rounds", type=int, default=5, help="of each crowd (default: 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    options = parser.parse_args()
    rows = []
    with open_rig() as rig, rig.run_newsintel(MAX_CONNECTIONS="6000") as server:
        rig.run_load(Job((server.port,), [TARGET], connections=1))
        for name, crowd in CROWDS.items():
            alone, beside, failed, held = [], [], 0, 0
            for _ in range(options.rounds):
                alone.append(measure(rig, server, options.seconds)[0])
                with gather(crowd, server.port) as clients:
                    time.sleep(SETTLE_S)
                    p99_ms, without = measure(rig, server, options.seconds)
                    beside.append(p99_ms)
                    failed, held = failed + without, count_open(clients)
                time.sleep(SETTLE_S)
            ratio = compute_ratio(beside, alone)
            rows.append([name, f"{held:,}", str(failed), ratio.format(2)])
    header = ["crowd", "still connected", "requests without a 200", "p99 beside / alone"]
    print(format_table(header, rows))
    print(f"descriptors: at most {resource.getrlimit(resource.RLIMIT_NOFILE)[0]:,}")


if __name__ == "__main__":
    main()
