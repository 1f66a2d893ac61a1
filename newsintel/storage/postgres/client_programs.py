"""Runs PostgreSQL's own client programs, `pg_dump` and `pg_restore`."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import trio
from attrs import frozen

from newsintel.config.database_parameters import DRIVER_PARAMETERS, TRANSLATED_PARAMETERS
from newsintel.config.database_url import DatabaseUrl, parse_database_url
from newsintel.config.values import Secret
from newsintel.errors import NewsIntelError
from newsintel.storage.embedded.daemon import ENVIRON
from newsintel.storage.embedded.wheel_programs import find_wheel_program

INSTALLED = "lib/postgresql/*/bin"
"""Where Debian keeps the programs of each version, below /usr."""


@frozen
class DatabaseAccess:
    """How to reach a database.

    Attributes:
        url: the URL of the role that owns the tables.
        password: replaces the URL's.
        embedded: True for the embedded server, whose wheel brings the programs. They were built
            without TLS, so other servers need installed programs.
    """

    url: Secret
    password: Secret | None
    embedded: bool

    @property
    def parsed(self) -> DatabaseUrl:
        """The URL's parts."""
        return parse_database_url(self.url.reveal())


async def find_program(name: str, major: int, access: DatabaseAccess) -> Path:
    """Return the path of a client program of the server's own major version.

    A newer pg_dump writes what the server's own pg_restore cannot read, and a newer pg_restore
    sends settings that an older server does not know.

    Raises:
        NewsIntelError: it is not installed.
    """
    if access.embedded:
        return find_wheel_program(name)
    found = {await _read_major(path): path for path in _list_programs(name)}
    if major in found:
        return found[major]
    others = ", ".join(str(number) for number in sorted(found) if number) or "none"
    raise NewsIntelError(
        f"the server is PostgreSQL {major}, and its {name} is not installed (found: {others}): "
        f"install the client programs of version {major} (Debian: postgresql-client-{major})"
    )


def _list_programs(name: str) -> Iterator[Path]:
    yield from Path("/usr").glob(f"{INSTALLED}/{name}")
    if path := shutil.which(name):
        yield Path(path)


async def _read_major(program: Path) -> int:
    """Return a program's major version; 0 if it does not tell one."""
    try:
        done = await trio.run_process(
            [str(program), "--version"], capture_stdout=True, capture_stderr=True, check=False
        )
    except OSError:
        return 0
    told = re.search(rb"\(PostgreSQL\) (\d+)", done.stdout)
    return int(told[1]) if told else 0


async def run_program(
    program: Path, *options: str, environ: Mapping[str, str], out: IO[bytes] | None = None
) -> bytes:
    """Run a program to its end; a cancel ends it.

    Args:
        program: its path.
        options: its command line, which other users of the machine can read.
        environ: its environment.
        out: where its output goes; returned if None.

    Raises:
        NewsIntelError: it failed; the message holds the first reason that it gave.
    """
    to: dict[str, Any] = {"capture_stdout": True} if out is None else {"stdout": out.fileno()}
    done = await trio.run_process(
        [str(program), *options],
        **to,
        capture_stderr=True,
        check=False,
        env=dict(environ),
    )
    if done.returncode:
        raise NewsIntelError(f"{program.name}: {_find_reason(done)}")
    return done.stdout or b""


def _find_reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the first error that a program wrote, without its own name."""
    lines = done.stderr.decode(errors="replace").splitlines()
    errors = [found[1] for line in lines if (found := re.search(r"error: (.*)", line))]
    return next(iter(errors or lines), f"ended with exit code {done.returncode}")


def build_connection(access: DatabaseAccess) -> str:
    """Return libpq's connection string for a database, without secrets.

    The parameters that newsintel reads itself (`NEEDLESS_PARAMETERS`) have no effect and are left
    out: an older libpq may not know them.

    Raises:
        NewsIntelError: the URL has the password of a private key, which has no other place.
    """
    url = access.parsed
    if "sslpassword" in url.parameters:
        raise NewsIntelError(
            "the database's URL has an sslpassword, which pg_dump would show in the list of "
            "processes: use a private key without a password"
        )
    passed = {
        "host": ",".join(url.hosts),
        "port": ",".join(map(str, url.ports)),
        "user": url.user,
        "dbname": url.database,
        "fallback_application_name": "newsintel",
        **{
            name: value
            for name, value in url.parameters.items()
            if name in DRIVER_PARAMETERS or name in TRANSLATED_PARAMETERS
        },
    }
    return " ".join(f"{name}={_quote(value)}" for name, value in passed.items() if value)


def _quote(value: str) -> str:
    """Quote a value (PostgreSQL, 34.1.1.1 Keyword/Value Connection Strings)."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def build_environ(access: DatabaseAccess) -> dict[str, str]:
    """Return the environment for a program that connects: the password is in it."""
    environ = dict(ENVIRON) if access.embedded else {**os.environ, "LC_ALL": "C"}
    password = access.password.reveal() if access.password else access.parsed.password
    return {**environ, "PGPASSWORD": password} if password else environ
