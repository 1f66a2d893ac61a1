"""Real PostgreSQL servers for one test: a primary and its streaming replica, which change roles."""

import os
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from attrs import frozen

from newsintel.storage.embedded.postgres_daemon import PostgresDaemon
from tests.waiting import PATIENCE_S


@frozen
class PostgresServer:
    """A running server.

    Attributes:
        folder: the folder of its socket.
        process: the postmaster.
    """

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """The URL of the server without a forwarder."""
        return f"postgresql://newsintel@/postgres?host={self.folder}"

    @property
    def socket(self) -> str:
        """The path of its socket."""
        return str(self.folder / ".s.PGSQL.5432")

    def crash(self) -> None:
        """Drop everything at once. SIGKILL of a postmaster would leave its children."""
        os.kill(self.process.pid, 3)
        self.process.wait()


Tool = Callable[[str], Sequence[str | Path]]
"""Returns the command for one of PostgreSQL's programs."""


def embedded(folder: Path) -> Tool:
    """The programs of the wheel, which were built without TLS."""
    return PostgresDaemon(folder, folder).find_tool


def installed() -> Tool | None:
    """The programs of the system, at Debian's path; None if there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    folder = Path()

    def tool(name: str) -> Sequence[str | Path]:
        # PostgreSQL refuses to run as root.
        *as_somebody, _ = PostgresDaemon(folder, folder).find_tool(name)
        return (*as_somebody, found[-1].with_name(name))

    return tool if found else None


async def run(*command: str | Path) -> None:
    """Run one of PostgreSQL's programs to its end."""
    await trio.run_process(
        [str(word) for word in command],
        capture_stdout=True,
        capture_stderr=True,
        env={"LC_ALL": "C", "PATH": os.defpath},
    )


async def make_cluster(folder: Path, tool: Tool | None = None) -> Path:
    """Make a cluster with the superuser `newsintel`; every connection is trusted."""
    home = folder / "cluster"
    await run(
        *(tool or embedded(folder))("initdb"),
        "-D",
        home,
        "-U",
        "newsintel",
        "--auth=trust",
        "--no-sync",
        "--locale=C",
    )
    return home


async def copy_cluster(primary: PostgresServer, folder: Path) -> Path:
    """Copy a running primary's cluster, so that the copy follows it."""
    home = folder / "cluster"
    await run(
        *embedded(folder)("pg_basebackup"),
        "-D",
        home,
        "-h",
        primary.folder,
        "-U",
        "newsintel",
        "--write-recovery-conf",
        "--checkpoint=fast",
        "--no-sync",
    )
    return home


@asynccontextmanager
async def postgres_server(
    home: Path, *options: str | Path, tool: Tool | None = None, expect: str = "accepting"
) -> AsyncIterator[PostgresServer]:
    """Run a server on a cluster until the block ends; its socket is beside the cluster's folder.

    Args:
        home: the cluster.
        options: options of the program.
        tool: finds the program; the wheel's programs if None.
        expect: the state to wait for: `accepting` or `rejecting` connections.
    """
    folder = home.parent
    words: Sequence[str | Path] = (
        *(tool or embedded(folder))("postgres"),
        "-D",
        home,
        "-k",
        folder,
        "-c",
        "listen_addresses=",
    )
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - a moment
            [str(word) for word in (*words, "-c", "fsync=off", *options)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    server = PostgresServer(folder, process)
    try:
        with trio.fail_after(PATIENCE_S):
            while await _state(server) != expect:  # noqa: ASYNC110 - there is no signal
                await trio.sleep(0.02)
        yield server
    finally:
        if process.poll() is None:
            server.crash()


async def _state(server: PostgresServer) -> str:
    command = [
        str(word) for word in (*embedded(server.folder)("pg_isready"), "-q", "-h", server.folder)
    ]
    return {0: "accepting", 1: "rejecting"}.get(
        (await trio.run_process(command, check=False)).returncode, "away"
    )
