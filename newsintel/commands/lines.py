"""Files of lines for the commands that stream them: `-` is standard input or output, a name that ends in .gz is compressed."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from newsintel.errors import InvalidParameterError

MAX_LINE = 2**20
"""Bytes. An article at its longest (content of 50,000 characters, each escaped to 12 bytes) is shorter; what is longer is no article."""
LEVEL = 6
"""zlib's own default: half again as fast as gzip's 9 for about a hundredth more bytes."""


def reading(file: str) -> AbstractContextManager[BinaryIO]:
    """Open a file to read; `-` is standard input. Raises InvalidParameterError if it cannot be."""
    return _stream(file, "rb", sys.stdin)


def writing(file: str) -> AbstractContextManager[BinaryIO]:
    """Open a file to write, in the place of what it held; `-` is standard output. Raises InvalidParameterError if it cannot be."""
    return _stream(file, "wb", sys.stdout)


@contextmanager
def _stream(file: str, mode: str, standard: TextIO) -> Iterator[BinaryIO]:
    """A file, or the standard stream, which is not ours to close."""
    if file == "-":
        yield standard.buffer
        return
    with _named(file):
        opened = _open(file, mode)
    with opened:
        yield opened


def numbered(lines: BinaryIO, file: str) -> Iterator[tuple[int, bytes | None]]:
    """Each line with its number from 1; None in the place of one longer than MAX_LINE, which is passed over without being kept.

    Raises:
        InvalidParameterError: the file ends or breaks where it should not; says how many lines could be read.
    """
    number = 0
    with _named(file):
        for number in count(1):
            try:
                line = lines.readline(MAX_LINE)
                whole = _finish(lines, line)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise InvalidParameterError("file", "unreadable", f"{file} is damaged after line {number - 1}: {error}") from error
            if not line:
                return
            yield number, line if whole else None


def _finish(lines: BinaryIO, line: bytes) -> bool:
    """True if a line was read whole; the rest of a longer one is read past."""
    whole = True
    while len(line) == MAX_LINE and not line.endswith(b"\n"):
        whole = False
        line = lines.readline(MAX_LINE)
    return whole


def _open(file: str, mode: str) -> BinaryIO:
    if not file.endswith(".gz"):
        return cast(BinaryIO, Path(file).open(mode))
    return cast(BinaryIO, gzip.open(file, mode, compresslevel=LEVEL))


@contextmanager
def _named(file: str) -> Iterator[None]:
    """Turns a failure of the system into ours, with the file's name."""
    try:
        yield
    except OSError as error:
        raise InvalidParameterError("file", "unreadable", f"{file}: {error.strerror or error}") from error
