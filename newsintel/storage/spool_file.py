"""One file of the spool: records in the order in which they were added. Every method blocks.

The process that has the file locked owns it. The kernel releases the lock when the process ends in
any way; then another process may take the file over and drain it from its first record.
"""

import fcntl
import os
import secrets
import stat
import struct
from pathlib import Path
from zlib import crc32

MAGIC = b"newsintel spool 1\n"
HEAD = struct.Struct(">II")
"""Before each record: its length in bytes and its CRC-32."""
SUFFIX = ".spool"

_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


class SpoolFile:
    """A file that this process owns.

    Attributes:
        path: where it is.
        torn_bytes: how many bytes at its end were not a whole record, and were cut off.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.torn_bytes = 0
        self._descriptor = descriptor
        self._first = len(MAGIC)
        self._end = os.fstat(descriptor).st_size

    @classmethod
    def create(cls, folder: Path) -> "SpoolFile":
        """Create a file and make its name durable. Raises OSError."""
        path = folder / f"{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(descriptor, MAGIC, 0)
            _sync_folder(folder)
        except OSError:
            path.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return cls(path, descriptor)

    @classmethod
    def take_over(cls, path: Path) -> "SpoolFile | None":
        """Take over a file whose process has ended.

        None if it is in use, of another format, or no file, such as a pipe. A file whose process
        ended before it wrote a record is deleted.
        """
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                return None
            descriptor = os.open(path, _FLAGS)
        except OSError:  # deleted meanwhile, or of another user
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.pread(descriptor, len(MAGIC), 0)
            if os.fstat(descriptor).st_nlink:
                if found == MAGIC:
                    return cls(path, descriptor)
                if MAGIC.startswith(found):  # a full disk would not let us complete it
                    path.unlink()
        except BlockingIOError:
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    @property
    def is_empty(self) -> bool:
        """True if every record is dropped."""
        return self._first == self._end

    def append(self, data: bytes) -> None:
        """Write a record durably. If that fails, raise OSError and keep the earlier records."""
        record = HEAD.pack(len(data), crc32(data)) + data
        try:
            _write(self._descriptor, record, self._end)
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._end)
            raise
        self._end += len(record)

    def read_first(self) -> bytes | None:
        """Return the first record that is not dropped; None if there is none.

        What follows the last whole record is cut off: its process ended while it wrote.
        """
        start = self._first + HEAD.size
        head = os.pread(self._descriptor, HEAD.size, self._first)
        if len(head) == HEAD.size:
            length, checksum = HEAD.unpack(head)
            if start + length <= self._end:
                data = os.pread(self._descriptor, length, start)
                if crc32(data) == checksum:
                    return data
        self.torn_bytes += self._end - self._first
        os.ftruncate(self._descriptor, self._first)
        self._end = self._first
        return None

    def drop_first(self, size_bytes: int) -> None:
        """Drop the first record, of this size. Its bytes stay on disk until the file is deleted."""
        self._first += HEAD.size + size_bytes

    def delete(self) -> None:
        """Delete the file and give it up."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Give the file up: any process may take it over."""
        os.close(self._descriptor)


def record_size(data: bytes) -> int:
    """Return the bytes that a record takes in a file."""
    return HEAD.size + len(data)


def _write(descriptor: int, data: bytes, start: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, start)
        start += written
        view = view[written:]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
