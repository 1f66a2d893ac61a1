"""Starts and ends everything that a benchmark needs: the world, the servers, the load generator.

Each is its own process. With two cores or more, the servers under test have core 0 to themselves;
the load generator, PostgreSQL, Redis and the simulated upstreams share core 1. However a run ends,
all processes end, by process id, the last started first.
"""

import http.client
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
from attrs import define, evolve, field, frozen

from benchmarks.client import Job, LoadResult, pin_to_core, run_job

SERVER_CORE, OTHERS_CORE = 0, 1
START_S = 60.0
STOP_S = 15.0
FOREIGN_NAMES = ("DATABASE_URL", "REDIS_URL", "PORT")

UNLIMITED_SETTINGS = {
    f"NEWSINTEL_{name}": value
    for name, value in {
        "RATE_LIMIT": "off",
        "MISS_LIMIT": "off",
        "NEWSAPI_PACE_S": "0",
        "GUARDIAN_PACE_S": "0",
        "REDDIT_PACE_S": "0",
        "NEWSAPI_QUOTA": "off",
        "GUARDIAN_QUOTA": "off",
        "REDDIT_QUOTA": "off",
        "MAX_CONNECTIONS_PER_ADDRESS": "4096",
        "LOG_LEVEL": "warning",
    }.items()
}
"""No limits, paces and quotas: they would measure our own settings. No access log, as the peers."""

LATENCIES_MS = {"newsapi": 100, "guardian": 200, "reddit": 300}
"""Of the upstreams on a good day. They distinguish the slowest of three from the sum of three."""


@frozen
class Server:
    """A server under test."""

    name: str
    port: int
    pid: int

    def cpu_s(self) -> float:
        """Return its CPU time so far and that of its workers, in seconds.

        Other load on the machine does not change it.
        """
        return sum(map(_read_cpu_s, (self.pid, *list_children(self.pid))))

    def rss_mib(self) -> float:
        """Return its resident memory in MiB."""
        return read_rss_mib(self.pid)


@define
class Rig:
    """A running world."""

    folder: Path
    environ: Mapping[str, str]
    control_port: int
    _loader: ProcessPoolExecutor
    _marks: int = 0
    _logs: int = field(default=0)

    def run_load(self, job: Job) -> LoadResult:
        """Run a job in the load generator."""
        return self._loader.submit(run_job, job).result()

    def make_new_targets(self, number: int, words: str = "climate") -> list[str]:
        """Return new request targets that all find the same articles."""
        first, self._marks = self._marks, self._marks + number
        return [
            f"/articles?q={words.replace(' ', '+')}+-zq{mark}" for mark in range(first, self._marks)
        ]

    @contextmanager
    def run_workers(self, workers: int) -> Iterator[Server]:
        """Run `newsintel serve` with several workers, on all cores."""
        serving = f"newsintel_workers {workers}.0".encode()
        with self.run_newsintel(core=None, WORKERS=str(workers)) as server:
            end = time.monotonic() + START_S
            while serving not in send_request(server.port, "/metrics")[2]:
                if time.monotonic() > end:
                    raise RuntimeError(f"not all of {workers} workers serve")
                time.sleep(0.05)
            yield evolve(server, name=f"newsintel, {workers} workers")

    @contextmanager
    def run_newsintel(self, *, core: int | None = SERVER_CORE, **settings: str) -> Iterator[Server]:
        """Run `newsintel serve`. The names of `settings` lack NEWSINTEL_. A core of None: all."""
        port = find_free_port()
        own = {f"NEWSINTEL_{name}": value for name, value in settings.items()}
        environ = {**self.environ, **own, "NEWSINTEL_BIND": f"127.0.0.1:{port}"}
        with self._run_server(
            "newsintel",
            port,
            ["-m", "newsintel", "serve"],
            environ,
            probe="/health/ready",
            core=core,
        ) as server:
            yield server

    @contextmanager
    def run_peer(
        self,
        name: str,
        *,
        label: str = "",
        fast: bool = False,
        sequential: bool = False,
        **settings: str,
    ) -> Iterator[Server]:
        """Run a peer with uvicorn, without access log.

        Args:
            name: of its module.
            label: its name in the results; by default `name`.
            fast: with uvloop and httptools (`uvicorn[standard]`), as the careful peer always runs,
                instead of the default of `pip install uvicorn`: asyncio and h11.
            sequential: calls one source after the other.
            settings: by their names without NEWSINTEL_.
        """
        port = find_free_port()
        own = {f"NEWSINTEL_{key}": value for key, value in settings.items()}
        environ = {**self.environ, **own, "NEWSINTEL_BENCH_SEQUENTIAL": "1" if sequential else "0"}
        options = [
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--no-access-log",
            "--log-level",
            "warning",
        ]
        options += [] if fast or name == "careful" else ["--loop", "asyncio", "--http", "h11"]
        with self._run_server(
            label or name,
            port,
            ["-m", "uvicorn", f"benchmarks.peers.{name}:app", *options],
            environ,
            probe="/openapi.json",
        ) as server:
            yield server

    @contextmanager
    def run_floor(self, captured: "Captured") -> Iterator[Server]:
        """Run the bare app that sends the captured response."""
        port, path = find_free_port(), self.folder / "captured.json"
        path.write_bytes(
            orjson.dumps({"headers": captured.headers, "body": captured.body.decode()})
        )
        environ = {**self.environ, "NEWSINTEL_BIND": f"127.0.0.1:{port}"}
        with self._run_server(
            "floor", port, ["-m", "benchmarks.floor", str(path)], environ, probe="/"
        ) as server:
            yield server

    @contextmanager
    def run_trivial(self, captured: "Captured") -> Iterator[Server]:
        """Run the trivial server that sends the captured response."""
        port, path = find_free_port(), self.folder / "captured.http"
        path.write_bytes(captured.raw)
        with self._run_server(
            "trivial",
            port,
            ["-m", "benchmarks.trivial", str(port), str(path)],
            self.environ,
            probe="/",
        ) as server:
            yield server

    @contextmanager
    def _run_server(
        self,
        name: str,
        port: int,
        args: Sequence[str],
        environ: Mapping[str, str],
        *,
        probe: str,
        core: int | None = SERVER_CORE,
    ) -> Iterator[Server]:
        self._logs += 1
        log = self.folder / f"{self._logs:03}-{name}.log"
        with (
            log.open("wb") as output,
            _run_process(args, environ, core, stdout=output, stderr=output) as started,
        ):
            _await_ready(started, port, probe, log)
            yield Server(name, port, started.pid)

    def change_upstream(self, name: str, **settings: Any) -> None:
        """Change the behaviour of a simulated API."""
        self._send_control("PUT", f"/{name}", orjson.dumps(settings))

    def reset_upstreams(self, latencies_ms: Mapping[str, float] = LATENCIES_MS) -> None:
        """Reset every simulated API, with fixed latencies and no faults."""
        self._send_control("DELETE", "")
        self.change_upstream("reddit_auth", latency_ms=0, jitter_ms=0)
        for name, latency_ms in latencies_ms.items():
            self.change_upstream(name, latency_ms=latency_ms, jitter_ms=0)

    def reset_call_counts(self) -> None:
        """Reset the count of upstream calls."""
        self._send_control("DELETE", "/calls")

    def read_call_counts(self) -> dict[str, int]:
        """Return the number of calls to each source."""
        shown = orjson.loads(self._send_control("GET", ""))
        return {name: shown[name]["calls"] for name in LATENCIES_MS}

    def _send_control(self, method: str, path: str, body: bytes = b"") -> bytes:
        status, _, answer = send_request(self.control_port, f"/_control{path}", method, body)
        if status >= 300:
            raise RuntimeError(f"the simulated upstreams refused {path}: {answer.decode()}")
        return answer


@frozen
class Captured:
    """A captured response."""

    headers: list[tuple[str, str]]
    body: bytes

    @property
    def raw(self) -> bytes:
        """The whole response as bytes on the wire."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + self.body


def capture_answer(server: Server, target: str) -> Captured:
    """Capture a server's answer to a target."""
    status, headers, body = send_request(server.port, target)
    if status != 200:
        raise RuntimeError(
            f"{server.name} answered {status} to {target}: {body[:300].decode(errors='replace')}"
        )
    return Captured(headers, body)


def send_request(
    port: int, target: str, method: str = "GET", body: bytes = b""
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Send one request on its own connection. Returns status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, target, body or None)
        reply = connection.getresponse()
        return reply.status, reply.getheaders(), reply.read()
    finally:
        connection.close()


def find_free_port() -> int:
    """Return a port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def open_rig() -> Iterator[Rig]:
    """Start the world and the load generator. Ends everything when the block ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as running:
        folder = Path(
            running.enter_context(
                tempfile.TemporaryDirectory(prefix="newsintel-bench-", ignore_cleanup_errors=True)
            )
        )
        log = running.enter_context((folder / "world.log").open("wb"))
        data = folder / "data"
        world = running.enter_context(
            _run_process(
                ["-m", "benchmarks.world", str(data)],
                _build_clean_environ(),
                OTHERS_CORE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        )
        said = world.stdout.readline() if world.stdout else b""
        if not said:
            raise RuntimeError(f"the world did not start: {_read_end(folder / 'world.log')}")
        where = orjson.loads(said)
        stores = {
            "NEWSINTEL_DATABASE_URL": where["postgres_url"],
            "NEWSINTEL_REDIS_URL": where["redis_url"],
        }
        environ = {
            **_build_clean_environ(),
            **where["environ"],
            **UNLIMITED_SETTINGS,
            **stores,
            "NEWSINTEL_DATA_DIR": str(folder / "service"),
        }
        pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_set_up_loader)
        loader = running.enter_context(pool)
        control_port = int(where["control_url"].split(":")[2].split("/")[0])
        rig = Rig(folder, environ, control_port, loader)
        rig.reset_upstreams()
        with rig.run_newsintel():
            pass  # it creates the schema for the peers
        yield rig


def _set_up_loader() -> None:
    """Ignore SIGINT, which the rig handles: it stops the load generator after its job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pin_to_core(OTHERS_CORE)


def _build_clean_environ() -> dict[str, str]:
    """Return this environment without newsintel settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("NEWSINTEL_") and name not in FOREIGN_NAMES
    }


@contextmanager
def _run_process(
    args: Sequence[str], environ: Mapping[str, str], core: int | None, **pipes: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python program in its own session: Ctrl-C reaches only us, and we end it in order."""
    started = subprocess.Popen(
        [sys.executable, *args], env=dict(environ), start_new_session=True, **pipes
    )
    try:
        if core is not None and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(started.pid, {core})
        yield started
    finally:
        if started.stdin:
            started.stdin.close()
        else:
            started.terminate()
        try:
            started.wait(STOP_S)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _read_cpu_s(pid: int) -> float:
    """Return a process's CPU time so far (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_rss_mib(pid: int) -> float:
    """Return a process's resident memory in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def list_children(pid: int) -> list[int]:
    """Return the processes that a process has started, by whichever of its threads."""
    return [
        int(child)
        for path in Path(f"/proc/{pid}/task").glob("*/children")
        for child in path.read_text(encoding="ascii").split()
    ]


def _await_ready(started: subprocess.Popen[bytes], port: int, probe: str, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if started.poll() is not None:
            break
        try:
            if send_request(port, probe)[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{' '.join(map(str, started.args))} did not start: {_read_end(log)}")


def _read_end(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]
