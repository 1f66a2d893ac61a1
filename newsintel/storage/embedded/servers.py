"""Embedded servers, shared by all commands on one DATA_DIR.

The first command starts them, the last one stops them. Each command holds a shared lock on one file
while it uses the servers. The kernel releases the lock even if the process is killed, so there is
no count to maintain. A command that leaves and gets the exclusive lock was the last one. If a
killed process left servers behind, the next command finds them, uses them and stops them.
"""

import fcntl
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import trio
from attrs import frozen

from newsintel.config.server_addresses import MAX_SOCKET_BYTES
from newsintel.errors import EmbeddedServerError, SettingsError
from newsintel.storage.embedded.daemon import START_S
from newsintel.storage.embedded.data_dir import create_data_dir, name_data_dir_in_errors
from newsintel.storage.embedded.postgres_daemon import PostgresDaemon
from newsintel.storage.embedded.redis_daemon import RedisDaemon

LEAVE_S = 5.0
"""How long leaving may take in all: to wait for another command's start, then to stop two servers.
"""

LONGEST_FOLDER_BYTES = 900
"""Longest path of DATA_DIR: PostgreSQL's file names have at most 1,024 bytes (MAXPGPATH), of which
it needs up to a hundred.
"""

SEVERAL = frozenset(',"')
"""A path with one of these means several folders to PostgreSQL (unix_socket_directories; libpq's
host).
"""


@frozen
class EmbeddedUrls:
    """The URLs of the embedded servers; None for a server that was not requested."""

    postgres_url: str | None
    redis_url: str | None


@asynccontextmanager
async def run_embedded_servers(
    data_dir: Path, *, postgres: bool = True, redis: bool = True
) -> AsyncIterator[EmbeddedUrls]:
    """Run the requested servers while the block runs; without any, touch no file.

    Owns: this process's use of the servers. Leaving stops them if no other process uses them.

    Raises:
        EmbeddedServerError: a server did not start, or another command held the folder's lock too
            long.
        SettingsError: the folder cannot be used.
    """
    if not (postgres or redis):
        yield EmbeddedUrls(None, None)
        return
    _check_length(data_dir)
    with ExitStack() as locks:
        with name_data_dir_in_errors(data_dir):
            data_dir = create_data_dir(data_dir)
            sockets = _socket_dir(data_dir)
            users, changing = (
                locks.enter_context((data_dir / name).open("ab"))
                for name in ("users.lock", "changing.lock")
            )
        database, cache = PostgresDaemon(data_dir, sockets), RedisDaemon(data_dir, sockets)
        try:
            if not await _lock(changing.fileno(), fcntl.LOCK_EX, START_S):
                raise EmbeddedServerError(
                    "another command has been starting or stopping "
                    f"the servers in {data_dir} for {START_S:g} s"
                )
            await _lock(users.fileno(), fcntl.LOCK_SH, START_S)
            if redis:
                await cache.ensure()
            if postgres:
                await database.ensure()
            fcntl.flock(changing, fcntl.LOCK_UN)
            yield EmbeddedUrls(database.url if postgres else None, cache.url if redis else None)
        finally:
            with trio.move_on_after(LEAVE_S, shield=True):
                await _lock(changing.fileno(), fcntl.LOCK_EX, LEAVE_S)
                if await _lock(users.fileno(), fcntl.LOCK_EX, 0):
                    await cache.stop()
                    await database.stop()


async def _lock(file: int, kind: int, patience_s: float) -> bool:
    """Take a lock on an open file, until the file is closed; return False after `patience_s`."""
    give_up = trio.current_time() + patience_s
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if trio.current_time() >= give_up:
                return False
            await trio.sleep(0.02)  # the kernel has no cancellable event for it
        else:
            return True


def _check_length(data_dir: Path) -> None:
    # realpath also works for circular links.
    if len(os.fsencode(os.path.realpath(data_dir))) > LONGEST_FOLDER_BYTES:
        raise SettingsError(
            "NEWSINTEL_DATA_DIR is too long for the embedded servers: "
            f"at most {LONGEST_FOLDER_BYTES} bytes"
        )


def _socket_dir(data_dir: Path) -> Path:
    """Return the folder for sockets.

    It is DATA_DIR, or a short folder if sockets cannot be in DATA_DIR; all commands derive the same
    short name.
    """
    if len(os.fsencode(data_dir / ".s.PGSQL.5432")) <= MAX_SOCKET_BYTES and not SEVERAL & set(
        str(data_dir)
    ):
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    short = Path("/tmp") / f"newsintel-{digest}"  # noqa: S108 - its owner is checked below
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if (
        found.st_uid != os.geteuid()
        or found.st_mode & 0o077
        or not short.is_dir()
        or short.is_symlink()
    ):
        raise EmbeddedServerError(
            f"{short} must be a folder that only this user can access; "
            "or choose a shorter NEWSINTEL_DATA_DIR"
        )
    return short
