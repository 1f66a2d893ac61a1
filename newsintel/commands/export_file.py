"""Where an export goes. However it ends, nothing that a file held before is lost, and what it wrote are whole lines to go on from.

A new export is written to FILE.part, which takes FILE's place when it is whole. One that goes on after an article adds to the file that
ends with it: to FILE, or to the FILE.part that an export cut short has left, which is then put in place. Compressed, each page is a gzip
member of its own, so a file that is cut between two pages is a good one.
"""

import fcntl
import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from attrs import define

from newsintel.commands import gunzip
from newsintel.commands.lines import named, reading
from newsintel.commands.replacing import is_special, itself, put_in_place, resolved
from newsintel.domain.text.json_line import read_object
from newsintel.errors import InvalidParameterError, NewsIntelError

LEVEL = 6
"""zlib's own default: half again as fast as gzip's 9 for about a hundredth more bytes."""


@define
class ExportFile:
    """What pages are written to.

    Attributes:
        out: without a buffer of its own, unless it is standard output.
        size: of what is good: whole pages.
        compressed: each page is to be a gzip member.
        path: where it is; None of a stream.
        becomes: the file whose place it takes at the end; None if it is in its place.
    """

    out: BinaryIO
    size: int = 0
    compressed: bool = False
    path: Path | None = None
    becomes: Path | None = None

    def write(self, page: bytes) -> None:
        """Add a page, which ends with a line end."""
        data = gzip.compress(page, LEVEL, mtime=0) if self.compressed else page
        left = memoryview(data)
        while left:
            left = left[self.out.write(left) :]
        self.out.flush()
        self.size += len(data)

    def finish(self) -> None:
        """Put a file in its place. Raises NewsIntelError where nothing at all would replace something."""
        if self.path is None:
            return
        if self.becomes and not self.size and self.becomes.exists() and self.becomes.stat().st_size:
            self.path.unlink()
            raise NewsIntelError(f"the archive is empty; {self.becomes} is left as it was")
        if self.compressed and not self.size:
            self.write(b"")  # a gzip file of nothing has a header all the same
        os.fsync(self.out.fileno())
        if self.becomes:
            put_in_place(self.path, self.becomes)

    def stop(self) -> None:
        """Cut off what is not a whole page; a part without one goes."""
        if self.path is None:
            return
        os.ftruncate(self.out.fileno(), self.size)
        if self.becomes and not self.size:
            self.path.unlink()


@contextmanager
def exporting(file: str, after: str | None) -> Iterator[ExportFile]:
    """Open what an export is written to; `-` is standard output, a name that ends in .gz has it compressed.

    Args:
        file: as it was given.
        after: the article after which the export goes on, if it does.

    Raises:
        InvalidParameterError: the file cannot be written, or holds something that does not end with that article.
    """
    if file == "-":
        yield ExportFile(sys.stdout.buffer)
        return
    with named(file):
        export = _device(file) if is_special(file) else _open(file, after)
    with export.out:
        try:
            yield export
        except BaseException:
            export.stop()
            raise
        export.finish()


def _device(file: str) -> ExportFile:
    return ExportFile(cast(BinaryIO, Path(file).open("wb", buffering=0)), compressed=file.endswith(".gz"))


def _open(file: str, after: str | None) -> ExportFile:
    whole = resolved(file)
    part = whole.with_name(f"{whole.name}.part")
    refused = None
    for path in (part, whole) if after is not None else ():
        try:
            if _ends_with(path, after):
                return _locked(path, becomes=None if path is whole else whole)
        except InvalidParameterError as error:
            refused = error
    if refused:
        raise refused
    export = _locked(part, becomes=whole, compressed=file.endswith(".gz"))
    os.ftruncate(export.out.fileno(), 0)
    export.size = 0
    return export


def _locked(path: Path, becomes: Path | None, *, compressed: bool | None = None) -> ExportFile:
    """Open a file to add to, for nobody else meanwhile; compressed as it is if nothing else is said."""
    out = cast(BinaryIO, open(path, "ab", buffering=0, opener=itself))  # noqa: SIM115 - whoever exports closes it
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        out.close()
        raise InvalidParameterError("file", "busy", f"another export writes to {path}") from None
    with path.open("rb") as start:
        packed = start.read(len(gunzip.MAGIC)) == gunzip.MAGIC
    return ExportFile(out, path.stat().st_size, packed if compressed is None else compressed, path, becomes)


def _ends_with(path: Path, article_id: str | None) -> bool:
    """Whether a file's last line is of an article; False where there is no file or nothing in it.

    It is read from end to end: only so is it known that what is added to it could be read again.

    Raises:
        InvalidParameterError: it ends with something else, is damaged, or cut short in its last line.
    """
    if not path.exists() or not path.stat().st_size:
        return False
    last: bytes | None = None
    with reading(str(path)) as lines:
        for _, line in lines:
            last = line
    if last is None or not last.endswith(b"\n"):
        raise InvalidParameterError("file", "unreadable", f"{path}: its last line is cut short; name another file")
    if _id_of(last) != article_id:
        raise InvalidParameterError(
            "after", "elsewhere", f"{path} does not end with {article_id}: nothing is added to it; name another file"
        )
    return True


def _id_of(line: bytes) -> object:
    try:
        return read_object(line).get("id")
    except ValueError:
        return None
