"""Files that appear whole or not at all: written beside the file that they are to replace, and put in its place at the end."""

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(file: str) -> Iterator[BinaryIO]:
    """A file to write. FILE stays as it is until the block ends well with something written, so it may be read meanwhile.

    `-` is standard output. A device or a pipe cannot be replaced and is written to directly.

    Raises:
        OSError: it cannot be written; FILE is as it was.
    """
    if file == "-":
        yield sys.stdout.buffer
    elif is_special(file):
        with Path(file).open("wb") as out:
            yield out
    else:
        whole = resolved(file)
        part = whole.with_name(f".{whole.name}.{os.getpid()}.part")
        try:
            with open(part, "wb", opener=itself) as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            if part.stat().st_size:
                put_in_place(part, whole)
        finally:
            part.unlink(missing_ok=True)


def itself(path: str, flags: int) -> int:
    """Open a part for writing, as `open`'s opener: never what a link in its place leads to, which somebody else may have laid there."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def is_special(file: str) -> bool:
    """True of a device or a pipe."""
    path = Path(file)
    return path.exists() and not path.is_file() and not path.is_dir()


def resolved(file: str) -> Path:
    """Where a name leads through links. Raises IsADirectoryError before anything is written, not when all is."""
    path = Path(file).resolve()
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    return path


def put_in_place(part: Path, whole: Path) -> None:
    """Give a finished file the name and the permissions of the one that it replaces. A power cut leaves one of the two."""
    if whole.exists():
        shutil.copymode(whole, part)
    part.replace(whole)
    folder = os.open(whole.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
