"""Replaces files atomically: writes a part file beside the target and renames it at the end."""

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO


@contextmanager
def open_replacement(file: str, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a file to write. It replaces FILE when the block succeeds and has written something.

    Until then FILE is unchanged and can be read. `-` is standard output. A device or a pipe cannot
    be replaced and is written directly.

    Args:
        file: the name.
        mode: the permissions of a new file, less those of the umask. A file that is replaced
            keeps its own.

    Raises:
        OSError: the file cannot be written; FILE is unchanged.
    """
    if file == "-":
        yield sys.stdout.buffer
    elif is_special(file):
        with Path(file).open("wb") as out:
            yield out
    else:
        whole = resolve_file(file)
        part = whole.with_name(f".{whole.name}.{os.getpid()}.part")
        try:
            with open(part, "wb", opener=partial(open_without_following_links, mode=mode)) as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            if part.stat().st_size:
                put_in_place(part, whole)
        finally:
            part.unlink(missing_ok=True)


def open_without_following_links(path: str, flags: int, mode: int = 0o666) -> int:
    """Open a part file, as `open`'s opener, without following links.

    Another user of the folder could have put a link at its name.
    """
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode)


def is_special(file: str) -> bool:
    """Return whether the file is a device or a pipe."""
    path = Path(file)
    return path.exists() and not path.is_file() and not path.is_dir()


def resolve_file(file: str) -> Path:
    """Follow links. Raises IsADirectoryError before anything is written, not at the end."""
    path = Path(file).resolve()
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    return path


def put_in_place(part: Path, whole: Path) -> None:
    """Give a finished file the name and permissions of the file that it replaces.

    After a power cut, either the old or the new file is there.
    """
    if whole.exists():
        shutil.copymode(whole, part)
    part.replace(whole)
    folder = os.open(whole.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
