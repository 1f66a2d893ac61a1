"""Embedded servers, shared by every command on one DATA_DIR: the first starts them, the last to leave stops them.

Who uses them is known by a shared lock that each process holds on one file: the kernel lets go of it even when a process is killed, so
nothing has to be counted or cleaned up. Whoever leaves and can take that lock for itself alone was the last. Servers left over by a
process that was killed are found by the next command, used, and stopped by it.
"""

import fcntl
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import trio
from attrs import frozen

from newsintel.errors import EmbeddedServerError
from newsintel.storage.embedded.daemons import START_S, PostgresDaemon, RedisDaemon
from newsintel.storage.embedded.data_dir import make, named

LEAVE_S = 5.0
"""How long leaving may take in all: another command's start, then two stops."""

LONGEST_SOCKET_BYTES = 107
"""Of a unix socket's path; unix(7): sun_path has 108 with the closing NUL."""

LONGEST_FOLDER_BYTES = 900
"""Of DATA_DIR: PostgreSQL keeps names of files in 1,024 (MAXPGPATH), and adds up to a hundred of its own."""

SEVERAL = frozenset(',"')
"""With these in it, PostgreSQL takes the path of a folder for sockets as several (unix_socket_directories; libpq's host)."""


@frozen
class Embedded:
    """Where the embedded servers are; None for one that was not asked for."""

    postgres_url: str | None
    redis_url: str | None


@asynccontextmanager
async def embedded_servers(data_dir: Path, *, postgres: bool = True, redis: bool = True) -> AsyncIterator[Embedded]:
    """Have the servers run for as long as the block does; without any to run, touch nothing.

    Owns: this process's share in them. Leaving stops them if no other process has one.

    Raises:
        EmbeddedServerError: one did not start, or another command kept the folder locked.
        SettingsError: the folder cannot be used.
    """
    if not (postgres or redis):
        yield Embedded(None, None)
        return
    _check_length(data_dir)
    with ExitStack() as locks:
        with named(data_dir):
            data_dir = make(data_dir)
            sockets = _socket_dir(data_dir)
            users, changing = (locks.enter_context((data_dir / name).open("ab")) for name in ("users.lock", "changing.lock"))
        database, cache = PostgresDaemon(data_dir, sockets), RedisDaemon(data_dir, sockets)
        try:
            if not await _lock(changing.fileno(), fcntl.LOCK_EX, START_S):
                raise EmbeddedServerError(f"another command has been starting or stopping the servers in {data_dir} for {START_S:g} s")
            await _lock(users.fileno(), fcntl.LOCK_SH, START_S)
            if redis:
                await cache.ensure()
            if postgres:
                await database.ensure()
            fcntl.flock(changing, fcntl.LOCK_UN)
            yield Embedded(database.url if postgres else None, cache.url if redis else None)
        finally:
            with trio.move_on_after(LEAVE_S, shield=True):
                await _lock(changing.fileno(), fcntl.LOCK_EX, LEAVE_S)
                if await _lock(users.fileno(), fcntl.LOCK_EX, 0):
                    await cache.stop()
                    await database.stop()


async def _lock(file: int, kind: int, patience_s: float) -> bool:
    """Take a lock on an open file; False if others held on to theirs for `patience_s`. It lasts until the file is closed."""
    give_up = trio.current_time() + patience_s
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if trio.current_time() >= give_up:
                return False
            await trio.sleep(0.02)  # the kernel offers no event for this that a cancel could interrupt
        else:
            return True


def _check_length(data_dir: Path) -> None:
    if len(os.fsencode(os.path.realpath(data_dir))) > LONGEST_FOLDER_BYTES:  # which a loop of links does not stop
        raise EmbeddedServerError(f"NEWSINTEL_DATA_DIR is too long for the embedded servers: at most {LONGEST_FOLDER_BYTES} bytes")


def _socket_dir(data_dir: Path) -> Path:
    """The folder for sockets: DATA_DIR, or where its path cannot be a socket's a short one that every command derives alike."""
    if len(os.fsencode(data_dir / ".s.PGSQL.5432")) <= LONGEST_SOCKET_BYTES and not SEVERAL & set(str(data_dir)):
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    short = Path("/tmp") / f"newsintel-{digest}"  # noqa: S108 - whoever made it before us must be us, which is checked below
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o077 or not short.is_dir() or short.is_symlink():
        raise EmbeddedServerError(f"{short} is not a folder of ours alone; choose a shorter NEWSINTEL_DATA_DIR")
    return short
