"""Runs newsintel as people do: a process of its own, a folder of its own, asked over HTTP."""

import fcntl
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import httpx
from attrs import define, field

from tests.waiting import PATIENCE_S, wait_for

PATIENT = {f"{name}_DEADLINE_S": "60" for name in ("SEARCH", "NEWSAPI", "GUARDIAN", "REDDIT")}
"""No source is late because the machine is busy; a test of a late one sets its own."""
COMMAND = [sys.executable, "-m", "tests.patient"]
ROOT = str(Path(__file__).parents[1])

_reserved: list[TextIO] = []


@define
class Service:
    """A running `newsintel demo` or `serve`."""

    process: subprocess.Popen
    url: str
    data_home: Path
    log: Path
    client: httpx.Client = field(factory=lambda: httpx.Client(trust_env=False, timeout=PATIENCE_S))

    def get(self, path, **params):
        """GET an address of the service."""
        return self.client.get(self.url + path, params=params or None)  # empty ones would take the query in `path` away

    def search(self, q, **params):
        """GET /articles, which must succeed."""
        response = self.get("/articles", q=q, **params)
        assert response.status_code == 200, response.text
        return response

    @property
    def control(self):
        """Where the simulated upstreams are told how to behave."""
        return re.search(r"http://127\.0\.0\.1:\d+/_control", self.log.read_text())[0]

    def behave(self, source, **behaviour):
        """Change how a simulated source behaves."""
        self.client.put(f"{self.control}/{source}", json=behaviour).raise_for_status()

    def calls(self):
        """How often each simulated source was asked for articles so far."""
        return {name: source["calls"] for name, source in self.client.get(self.control).json().items() if not name.endswith("_auth")}

    def stop(self, how=signal.SIGTERM):
        """End the process; returns its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)

    def servers(self):
        """The command lines of the embedded servers that run in this folder."""
        return [line for line in command_lines() if str(self.data_home) in line and ("redis" in line or "postgres" in line)]


def command_lines():
    """Every process's command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def free_port():
    """A port that nobody uses, and no other test while this process lives; none that the system gives to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        claim = (Path(tempfile.gettempdir()) / f"newsintel-port-{port}").open("w")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _reserved.append(claim)
        return port


def environ(data_home, **settings):
    """An environment with nothing of the developer's own newsintel in it; bytecode is kept: the command is started a hundred times."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSINTEL_", "PYTHONDONTWRITEBYTECODE"))}
    return kept | {"PYTHONPATH": ROOT, "XDG_DATA_HOME": str(data_home)} | {f"NEWSINTEL_{name}": value for name, value in settings.items()}


def newsintel(data_home, *args, **settings):
    """Run a command to its end."""
    command = [*COMMAND, *args]
    return subprocess.run(command, env=environ(data_home, **settings), capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@contextmanager
def running(data_home, *args, **settings):
    """A service that is up; it is ended at the end if it still runs."""
    port = free_port()
    log = data_home / f"log-{port}"
    known = environ(data_home, BIND=f"127.0.0.1:{port}", **(PATIENT | settings))
    with log.open("w") as to:
        process = subprocess.Popen([*COMMAND, *args], env=known, stdout=to, stderr=to)
    service = Service(process, f"http://127.0.0.1:{port}", data_home, log)
    try:
        wait_until_up(service)
        yield service
    finally:
        service.client.close()
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE_S)


def wait_until_up(service):
    """Wait for the first answer."""

    def is_up():
        assert service.process.poll() is None, f"newsintel ended with {service.process.returncode}:\n{service.log.read_text()}"
        try:
            return service.get("/health")
        except httpx.TransportError:
            return None

    wait_for(is_up, "the first answer")
