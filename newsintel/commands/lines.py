"""Reads files of lines for the commands that stream them. `-` is standard input.

It recognises gzip by its first bytes. Files may have a byte order mark, CRLF or several gzip
members, and may be cut short or damaged. It reads every whole line before the damage.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import cast

from newsintel.commands import gunzip
from newsintel.commands.gunzip import DamagedError, decompress_gzip
from newsintel.domain.text.json_line import read_object
from newsintel.errors import InvalidParameterError

MAX_LINE = 2**20
"""Bytes. The longest article (50,000 characters, each escaped to 12 bytes) fits in a line."""

PIECE_BYTES = 2**16
BOM = b"\xef\xbb\xbf"
"""Windows editors begin UTF-8 files with it; in concatenated files it can begin any line."""

_FOREIGN_FORMATS = {
    b"\xff\xfe": "UTF-16, not UTF-8",
    b"\xfe\xff": "UTF-16, not UTF-8",
    b"{\0": "UTF-16, not UTF-8",
    b"\0{": "UTF-16, not UTF-8",
    b"\x28\xb5\x2f\xfd": "compressed with zstd, not gzip",
    b"\xfd7zXZ": "compressed with xz, not gzip",
    b"BZh": "compressed with bzip2, not gzip",
    b"PK\x03\x04": "a ZIP archive, not gzip",
}
"""The first bytes of files without readable lines, and what the files are (zstd: RFC 8878)."""

Lines = Iterator[tuple[int, bytes | None]]
"""Number (from 1) and bytes of each line that is not blank.

The bytes include the line end, but no byte order mark. None is a line longer than MAX_LINE, which
is skipped and not kept in memory."""


@contextmanager
def open_lines(file: str) -> Iterator[Lines]:
    """Open a file and give its lines. The lines raise errors too, after every whole line before.

    Raises:
        InvalidParameterError: the file cannot be read, has no lines, or is damaged; says where.
    """
    if file == "-":
        yield _number_lines(cast(BufferedReader, sys.stdin.buffer), file)
        return
    with ExitStack() as opened:
        with name_file_in_errors(file):
            source = opened.enter_context(Path(file).open("rb"))
        yield _number_lines(source, file)


def _number_lines(source: BufferedReader, file: str) -> Lines:
    number = 0
    with name_file_in_errors(file):
        try:
            for number, line in enumerate(_split_lines(_decompress_content(source, file)), start=1):
                text = line and line.removeprefix(BOM)
                if text is None or text.strip():
                    yield number, text
        except DamagedError as error:
            raise InvalidParameterError(
                "file", "unreadable", f"{file} is damaged after line {number}: {error}"
            ) from error


def _decompress_content(source: BufferedReader, file: str) -> Iterator[bytes]:
    """Return a file's content, decompressed if it is gzip.

    It reads only as many bytes as it needs to recognise the format, so a slow pipe works.
    """
    pieces = _read_pieces(source)
    head = b""
    for piece in pieces:
        head += piece
        if not any(start.startswith(head) for start in (gunzip.MAGIC, *_FOREIGN_FORMATS)):
            break
    content = chain([head], pieces)
    if head.startswith(gunzip.MAGIC):
        return decompress_gzip(content)
    if kind := next(
        (kind for start, kind in _FOREIGN_FORMATS.items() if head.startswith(start)), None
    ):
        raise InvalidParameterError("file", "unreadable", f"{file} is {kind}")
    if file.endswith(".gz") and not head.removeprefix(BOM).lstrip().startswith(b"{"):
        raise DamagedError("it starts with neither gzip nor a line of JSON")
    return content


def _read_pieces(source: BufferedReader) -> Iterator[bytes]:
    """Yield pieces as soon as they can be read."""
    while piece := source.read1(PIECE_BYTES):
        yield piece


def _split_lines(pieces: Iterator[bytes]) -> Iterator[bytes | None]:
    """Yield the lines of some pieces, None for each line that is too long.

    Before it raises for damage, it yields the text after the last line end if that is a whole
    object: then only the line end is missing.
    """
    held: bytes | None = b""
    damage = None
    try:
        for piece in pieces:
            *ends, begun = piece.split(b"\n")
            for end in ends:
                yield _join_parts(held, end + b"\n")
                held = b""
            held = _join_parts(held, begun)
    except DamagedError as error:
        damage = error
    if held != b"" and (damage is None or _is_object(held)):
        yield held
    if damage is not None:
        raise damage


def _join_parts(held: bytes | None, more: bytes) -> bytes | None:
    """Return a line with more of its text, or None if it is too long."""
    return None if held is None or len(held) + len(more) > MAX_LINE else held + more


def _is_object(line: bytes | None) -> bool:
    try:
        return line is not None and bool(read_object(line))
    except ValueError:
        return False


@contextmanager
def name_file_in_errors(file: str) -> Iterator[None]:
    """Convert an OSError into InvalidParameterError with the file's name."""
    try:
        yield
    except OSError as error:
        raise InvalidParameterError(
            "file", "unreadable", f"{file}: {error.strerror or error}"
        ) from error
