"""The file that an export writes. An interrupted export loses nothing and leaves whole lines.

A new export writes FILE.part, which replaces FILE when the export is complete. An export that
continues after an article appends to the file that ends with that article: to FILE, or to the
FILE.part of an interrupted export, which then replaces FILE. If the output is compressed, each page
is its own gzip member, so a file that is cut between two pages is valid.
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
from newsintel.commands.lines import name_file_in_errors, open_lines
from newsintel.commands.replacing import (
    is_special,
    open_without_following_links,
    put_in_place,
    resolve_file,
)
from newsintel.domain.text.json_line import read_object
from newsintel.errors import InvalidParameterError, NewsIntelError

GZIP_LEVEL = 6
"""zlib's default level: 1.5 times as fast as level 9, for about 1 % more bytes."""


@define
class ExportFile:
    """The output of an export.

    Attributes:
        out: unbuffered, unless it is standard output.
        size: bytes of whole pages.
        compressed: whether each page becomes a gzip member.
        path: None for a stream.
        replaces: the file that it replaces at the end; None if it is already that file.
    """

    out: BinaryIO
    size: int = 0
    compressed: bool = False
    path: Path | None = None
    replaces: Path | None = None

    def write(self, page: bytes) -> None:
        """Append a page, which ends with a line end."""
        data = gzip.compress(page, GZIP_LEVEL, mtime=0) if self.compressed else page
        left = memoryview(data)
        while left:
            left = left[self.out.write(left) :]
        self.out.flush()
        self.size += len(data)

    def finish(self) -> None:
        """Put the file in place. Raises NewsIntelError if an empty file would replace content."""
        if self.path is None:
            return
        if (
            self.replaces
            and not self.size
            and self.replaces.exists()
            and self.replaces.stat().st_size
        ):
            self.path.unlink()
            raise NewsIntelError(f"the archive is empty; {self.replaces} is left as it was")
        if self.compressed and not self.size:
            self.write(b"")  # an empty gzip file still has a header
        os.fsync(self.out.fileno())
        if self.replaces:
            put_in_place(self.path, self.replaces)

    def stop(self) -> None:
        """Cut off an incomplete page. Deletes a part file without a whole page."""
        if self.path is None:
            return
        os.ftruncate(self.out.fileno(), self.size)
        if self.replaces and not self.size:
            self.path.unlink()


@contextmanager
def open_export(file: str, after: str | None) -> Iterator[ExportFile]:
    """Open the output of an export.

    Args:
        file: the name; `-` is standard output, and a name that ends in .gz is compressed.
        after: the id of the article after which the export continues; None for a new export.

    Raises:
        InvalidParameterError: the file cannot be written, or does not end with that article.
    """
    if file == "-":
        yield ExportFile(sys.stdout.buffer)
        return
    with name_file_in_errors(file):
        export = _open_device(file) if is_special(file) else _open_file(file, after)
    with export.out:
        try:
            yield export
        except BaseException:
            export.stop()
            raise
        export.finish()


def _open_device(file: str) -> ExportFile:
    return ExportFile(
        cast(BinaryIO, Path(file).open("wb", buffering=0)), compressed=file.endswith(".gz")
    )


def _open_file(file: str, after: str | None) -> ExportFile:
    whole = resolve_file(file)
    part = whole.with_name(f"{whole.name}.part")
    refused = None
    for path in (part, whole) if after is not None else ():
        try:
            if _has_last_article(path, after):
                return _open_locked(path, becomes=None if path is whole else whole)
        except InvalidParameterError as error:
            refused = error
    if refused:
        raise refused
    export = _open_locked(part, becomes=whole, compressed=file.endswith(".gz"))
    os.ftruncate(export.out.fileno(), 0)
    export.size = 0
    return export


def _open_locked(path: Path, becomes: Path | None, *, compressed: bool | None = None) -> ExportFile:
    """Open a file to append to, with an exclusive lock. `compressed` None: as the file is now."""
    # `open_export` closes it.
    out = cast(BinaryIO, open(path, "ab", buffering=0, opener=open_without_following_links))  # noqa: SIM115
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        out.close()
        raise InvalidParameterError("file", "busy", f"another export writes to {path}") from None
    with path.open("rb") as start:
        packed = start.read(len(gunzip.MAGIC)) == gunzip.MAGIC
    return ExportFile(
        out, path.stat().st_size, packed if compressed is None else compressed, path, becomes
    )


def _has_last_article(path: Path, article_id: str | None) -> bool:
    """Return whether a file's last line is this article; False if the file is missing or empty.

    It reads the whole file: only then is it certain that appended lines can be read back.

    Raises:
        InvalidParameterError: the file ends with something else, is damaged, or its last line is
            cut short.
    """
    if not path.exists() or not path.stat().st_size:
        return False
    last: bytes | None = None
    with open_lines(str(path)) as lines:
        for _, line in lines:
            last = line
    if last is None or not last.endswith(b"\n"):
        raise InvalidParameterError(
            "file", "unreadable", f"{path}: its last line is cut short; name another file"
        )
    if _read_id(last) != article_id:
        raise InvalidParameterError(
            "after",
            "elsewhere",
            f"{path} does not end with {article_id}: nothing is added to it; name another file",
        )
    return True


def _read_id(line: bytes) -> object:
    try:
        return read_object(line).get("id")
    except ValueError:
        return None
