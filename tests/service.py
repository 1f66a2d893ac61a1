"""Runs newsintel as users do: its own process and data folder, called over HTTP."""

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

from newsintel.demo import guardian, newsapi, reddit_auth
from newsintel.demo.server import PREFIXES
from tests.waiting import PATIENCE_S, wait_for

PATIENT = {f"{name}_DEADLINE_S": "60" for name in ("SEARCH", "NEWSAPI", "GUARDIAN", "REDDIT")}
"""No source misses its deadline because the machine is busy.

A test of a late source sets its own.
"""
KEYED = {"SOURCES": "newsapi,guardian,reddit"}
"""The sources that most tests are about. A test of the others sets SOURCES; "" = all."""
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
        # An empty dict would remove the query in `path`
        return self.client.get(self.url + path, params=params or None)

    def search(self, q, **params):
        """GET /articles, which must succeed."""
        response = self.get("/articles", q=q, **params)
        assert response.status_code == 200, response.text
        return response

    @property
    def control(self):
        """The URL that controls the simulated upstreams."""
        return re.search(r"http://127\.0\.0\.1:\d+/_control", self.log.read_text())[0]

    def behave(self, source, **behaviour):
        """Change how a simulated source behaves."""
        self.client.put(f"{self.control}/{source}", json=behaviour).raise_for_status()

    def calls(self):
        """The number of article requests to each simulated source of KEYED so far."""
        return {
            name: source["calls"]
            for name, source in self.client.get(self.control).json().items()
            if name in KEYED["SOURCES"].split(",")
        }

    def stop(self, how=signal.SIGTERM):
        """End the process; returns its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)

    def servers(self):
        """The command lines of the embedded servers that run in this folder."""
        return [
            line
            for line in command_lines()
            if str(self.data_home) in line and ("redis" in line or "postgres" in line)
        ]


def command_lines():
    """The command line of every process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def free_port():
    """A port that is free and that no other test takes while this process lives.

    It lies outside the range from which the system takes ports for outgoing connections.
    """
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
    """An environment without the developer's own newsintel settings.

    It keeps bytecode, because tests start the command a hundred times.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NEWSINTEL_", "PYTHONDONTWRITEBYTECODE"))
    }
    return (
        kept
        | {"PYTHONPATH": ROOT, "XDG_DATA_HOME": str(data_home)}
        | {f"NEWSINTEL_{name}": value for name, value in (KEYED | settings).items()}
    )


def newsintel(data_home, *args, python_path=ROOT, **settings):
    """Run a command to its end; `python_path` is where its modules are."""
    command = [*COMMAND, *args]
    return subprocess.run(
        command,
        env=environ(data_home, **settings) | {"PYTHONPATH": python_path},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@contextmanager
def running(data_home, *args, **settings):
    """Run a service during the block; end it afterwards if it still runs."""
    port = free_port()
    log = data_home / f"log-{port}"
    known = environ(data_home, BIND=f"127.0.0.1:{port}", **(PATIENT | KEYED | settings))
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


@contextmanager
def beside(demo, **settings):
    """Run a separate `serve` process on the upstreams and embedded servers of a running demo."""
    root = demo.control.removesuffix("/_control")
    on_it = {f"{name.upper()}_URL": root + prefix for name, prefix in PREFIXES.items()}
    on_it |= {
        "NEWSAPI_KEY": newsapi.KEY,
        "GUARDIAN_KEY": guardian.KEY,
        "GUARDIAN_PACE_S": "0",
        "REDDIT_PACE_S": "0",
    }
    on_it |= {
        "REDDIT_CLIENT_ID": reddit_auth.CLIENT_ID,
        "REDDIT_CLIENT_SECRET": reddit_auth.CLIENT_SECRET,
    }
    on_it |= {
        "REDDIT_USER_AGENT": reddit_auth.USER_AGENT,
        "DATA_DIR": str(demo.data_home / "newsintel" / "demo"),
    }
    with running(demo.data_home, "serve", **(on_it | settings)) as service:
        yield service


def wait_until_up(service):
    """Wait until the service answers."""

    def is_up():
        assert service.process.poll() is None, (
            f"newsintel ended with {service.process.returncode}:\n{service.log.read_text()}"
        )
        try:
            return service.get("/health")
        except httpx.TransportError:
            return None

    wait_for(is_up, "the first answer")
