"""Files of lines for the commands that stream them: `-` is standard input, gzip is recognised by its bytes.

Files come from anywhere: with a byte order mark, with CRLF, made of several gzip members, cut short, or damaged in the middle. Every whole
line before the damage is read.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import cast

from newsintel.commands import gunzip
from newsintel.commands.gunzip import DamagedError, gunzipped
from newsintel.domain.text.json_line import read_object
from newsintel.errors import InvalidParameterError

MAX_LINE = 2**20
"""Bytes. An article at its longest (content of 50,000 characters, each escaped to 12 bytes) is shorter; what is longer is no article."""

PIECE_BYTES = 2**16
BOM = b"\xef\xbb\xbf"
"""Windows' editors begin UTF-8 with it; it is at the start of a line wherever such files were put together."""

_NOT_LINES = {
    b"\xff\xfe": "UTF-16, not UTF-8",
    b"\xfe\xff": "UTF-16, not UTF-8",
    b"{\0": "UTF-16, not UTF-8",
    b"\0{": "UTF-16, not UTF-8",
    b"\x28\xb5\x2f\xfd": "compressed with zstd, not gzip",
    b"\xfd7zXZ": "compressed with xz, not gzip",
    b"BZh": "compressed with bzip2, not gzip",
    b"PK\x03\x04": "a ZIP archive, not gzip",
}
"""How files begin that have no line to be read, and what they are (RFC 8878, RFC 1952 and their own formats' first bytes)."""

Lines = Iterator[tuple[int, bytes | None]]
"""Each line that is not blank with its number from 1, its line end and without a byte order mark; None stands for one longer than MAX_LINE,
which is passed over without being kept."""


@contextmanager
def reading(file: str) -> Iterator[Lines]:
    """The lines of a file; they raise what is said below when they come to it, after every whole line before it.

    Raises:
        InvalidParameterError: the file cannot be read, is nothing that has lines, or is damaged; says where.
    """
    if file == "-":
        yield _numbered(cast(BufferedReader, sys.stdin.buffer), file)
        return
    with ExitStack() as opened:
        with named(file):
            source = opened.enter_context(Path(file).open("rb"))
        yield _numbered(source, file)


def _numbered(source: BufferedReader, file: str) -> Lines:
    number = 0
    with named(file):
        try:
            for number, line in enumerate(_split(_content(source, file)), start=1):
                text = line and line.removeprefix(BOM)
                if text is None or text.strip():
                    yield number, text
        except DamagedError as error:
            raise InvalidParameterError("file", "unreadable", f"{file} is damaged after line {number}: {error}") from error


def _content(source: BufferedReader, file: str) -> Iterator[bytes]:
    """What a file holds, decompressed if it is gzip. Looks at no more of it than tells what it is, so that a pipe may trickle."""
    pieces = _pieces(source)
    head = b""
    for piece in pieces:
        head += piece
        if not any(start.startswith(head) for start in (gunzip.MAGIC, *_NOT_LINES)):
            break
    content = chain([head], pieces)
    if head.startswith(gunzip.MAGIC):
        return gunzipped(content)
    if kind := next((kind for start, kind in _NOT_LINES.items() if head.startswith(start)), None):
        raise InvalidParameterError("file", "unreadable", f"{file} is {kind}")
    if file.endswith(".gz") and not head.removeprefix(BOM).lstrip().startswith(b"{"):
        raise DamagedError("it begins neither as gzip nor with a line of JSON")
    return content


def _pieces(source: BufferedReader) -> Iterator[bytes]:
    """What there is to read, as it comes."""
    while piece := source.read1(PIECE_BYTES):
        yield piece


def _split(pieces: Iterator[bytes]) -> Iterator[bytes | None]:
    """The lines of some pieces, None for each that is too long.

    Before a damage is raised, what follows the last line end comes too if it is a whole object: then only its line end is missing.
    """
    held: bytes | None = b""
    damage = None
    try:
        for piece in pieces:
            *ends, begun = piece.split(b"\n")
            for end in ends:
                yield _joined(held, end + b"\n")
                held = b""
            held = _joined(held, begun)
    except DamagedError as error:
        damage = error
    if held != b"" and (damage is None or _is_object(held)):
        yield held
    if damage is not None:
        raise damage


def _joined(held: bytes | None, more: bytes) -> bytes | None:
    """A line and what follows of it; None once it is too long."""
    return None if held is None or len(held) + len(more) > MAX_LINE else held + more


def _is_object(line: bytes | None) -> bool:
    try:
        return line is not None and bool(read_object(line))
    except ValueError:
        return False


@contextmanager
def named(file: str) -> Iterator[None]:
    """Turns a failure of the system into ours, with the file's name."""
    try:
        yield
    except OSError as error:
        raise InvalidParameterError("file", "unreadable", f"{file}: {error.strerror or error}") from error
