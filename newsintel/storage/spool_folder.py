"""The SpoolPlace port on files: the folder `spool` in DATA_DIR.

Each process appends to one file of its own, which it has locked. It also drains the files of
processes that have ended. All work on files happens in one thread at a time, never on the loop.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import trio
from attrs import frozen

from newsintel.domain.ports import Count
from newsintel.errors import SpoolFullError, UnavailableError
from newsintel.runtime.telemetry.logs import get_logger
from newsintel.storage.embedded.data_dir import create_data_dir
from newsintel.storage.spool_file import MAGIC, SUFFIX, SpoolFile, record_size

log = get_logger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

FOLDER = "spool"
LOCK = "lock"
DISK_S = 5.0
"""Longest wait for the disk: one entry has half a megabyte."""


@frozen
class FileEntry:
    """A SpoolEntry: the first record of a file."""

    data: bytes
    _file: SpoolFile
    _place: "SpoolFolder"

    async def remove(self) -> None:
        """Drop the record."""
        await self._place.run_in_thread(self._place.drop_first, self._file, len(self.data))

    async def give_back(self) -> None:
        """Do nothing: the record is still the first one of its file."""

    async def set_aside(self) -> None:
        """Leave the whole file to a process of another version."""
        await self._place.run_in_thread(self._place.leave, self._file)


class SpoolFolder:
    """The files of all processes that share DATA_DIR.

    Args:
        data_dir: created at the first entry.
        max_bytes: the bound of all files together.
        count: counts `spool_torn_records`.
    """

    name = "file"

    def __init__(self, data_dir: Path, max_bytes: int, count: Count) -> None:
        self._data_dir = data_dir
        self._max_bytes = max_bytes
        self._count = count
        self._own: SpoolFile | None = None
        self._taken: SpoolFile | None = None
        self._left: set[Path] = set()
        self._limiter = trio.CapacityLimiter(1)
        self.size_bytes = 0

    async def add(self, data: bytes) -> None:
        """Append a record to this process's file, durably."""
        await self.run_in_thread(self._append, data)

    async def take(self) -> FileEntry | None:
        """Return the first record of a file whose process has ended, else of this process's."""
        found = await self.run_in_thread(self._take)
        return None if found is None else FileEntry(found[1], found[0], self)

    def close(self) -> None:
        """Give the files up.

        A thread that the disk still holds up may use them, and their descriptors' numbers must not
        go to other files. Then the kernel gives them up when the process ends.
        """
        if self._limiter.borrowed_tokens:
            return
        for file in (self._own, self._taken):
            if file is not None:
                file.close()

    async def run_in_thread(self, work: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run blocking work. A disk may hang, so neither a cancel nor DISK_S waits for it.

        Raises:
            UnavailableError: the system refused it, as on a full disk, or it took too long.
        """
        try:
            with trio.fail_after(DISK_S):
                return await trio.to_thread.run_sync(
                    work, *args, limiter=self._limiter, abandon_on_cancel=True
                )
        except trio.TooSlowError:
            raise UnavailableError(f"the disk did not answer within {DISK_S:g} s") from None
        except OSError as error:
            raise UnavailableError(error.strerror or str(error)) from error

    def drop_first(self, file: SpoolFile, size_bytes: int) -> None:
        """Drop a file's first record; delete the file after its last one."""
        if file not in (self._own, self._taken):
            return
        file.drop_first(size_bytes)
        with self._locked_folder() as folder:
            if file.is_empty:
                self._forget(file)
                file.delete()
            self.size_bytes = _measure(folder)

    def leave(self, file: SpoolFile) -> None:
        """Give a file up and do not take it over again."""
        self._left.add(file.path)
        self._forget(file)
        file.close()

    def _append(self, data: bytes) -> None:
        with self._locked_folder() as folder:
            added = record_size(data) + (0 if self._own else len(MAGIC))
            used = _measure(folder) + added
            if used > self._max_bytes:
                raise SpoolFullError(f"{self._max_bytes:,} bytes are used")
            if self._own is None:
                self._own = SpoolFile.create(folder)
            self._own.append(data)
            self.size_bytes = used

    def _take(self) -> tuple[SpoolFile, bytes] | None:
        if not (self._data_dir / FOLDER).is_dir():
            return None
        if self._taken is None:
            self._take_over()
        for file in (self._taken, self._own):
            if file is None:
                continue
            if (data := file.read_first()) is not None:
                return file, data
            self._report_torn(file)
            self._forget(file)
            with self._locked_folder():
                file.delete()
        return None

    def _take_over(self) -> None:
        """Take over the oldest file whose process has ended."""
        with self._locked_folder() as folder:
            self.size_bytes = _measure(folder)
            paths = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.lstat().st_mtime_ns)
            for path in paths:
                if path in self._left or (self._own and path == self._own.path):
                    continue
                self._taken = SpoolFile.take_over(path)
                if self._taken is not None:
                    log.info("spool_taken_over", file=path.name)
                    return

    def _forget(self, file: SpoolFile) -> None:
        if file is self._own:
            self._own = None
        else:
            self._taken = None

    def _report_torn(self, file: SpoolFile) -> None:
        if file.torn_bytes:
            log.error("spool_torn", file=file.path.name, size_bytes=file.torn_bytes)
            self._count("spool_torn_records")

    @contextmanager
    def _locked_folder(self) -> Iterator[Path]:
        """Lock the folder against other processes.

        So no file appears or vanishes while they are measured, and none gets two owners.
        """
        folder = create_data_dir(self._data_dir) / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(
            folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # short: one record is written, or sizes read
            yield folder
        finally:
            os.close(descriptor)


@asynccontextmanager
async def open_spool_folder(
    data_dir: Path, max_bytes: int, count: Count
) -> AsyncIterator[SpoolFolder]:
    """Open the folder, without touching it before the first entry.

    Owns: this process's file, and the one that it has taken over. Leaving gives them up: another
    process, or the next one, drains what is in them.
    """
    folder = SpoolFolder(data_dir, max_bytes, count)
    try:
        yield folder
    finally:
        folder.close()


def _measure(folder: Path) -> int:
    """Return the size of all files of the spool together."""
    return sum(
        entry.stat(follow_symlinks=False).st_size
        for entry in os.scandir(folder)
        if entry.name.endswith(SUFFIX)
    )
