"""Files of lines as other programs make, cut and damage them.

Every whole line is read, and the end is named.
"""

import bz2
import gzip
import io
import lzma
import os
import random
import shutil
import subprocess
import sys
import threading
import zipfile
import zlib
from types import SimpleNamespace

import pytest

from newsintel.commands.gunzip import DamagedError, decompress_gzip
from newsintel.commands.lines import MAX_LINE, PIECE_BYTES, open_lines
from newsintel.errors import InvalidParameterError

LINES = [
    b'{"title": "Story %d", "text": "%s"}\n'
    % (number, random.Random(number).randbytes(30).hex().encode())
    for number in range(1, 151)
]
TEXT = b"".join(LINES)


def run(*command):
    """Makes the output of a program that reads TEXT from standard input."""

    def make():
        if not shutil.which(command[0]):
            pytest.skip(f"{command[0]} is not installed")
        return subprocess.run(command, input=TEXT, capture_output=True, check=True).stdout

    return make


def shell(script):
    """Makes the output of a script that finds TEXT in the file `text`."""

    def make(folder):
        (folder / "text").write_bytes(TEXT)
        return subprocess.run(
            ["sh", "-euc", script], cwd=folder, capture_output=True, check=True
        ).stdout

    return make


MAKERS = {
    "plain": lambda: TEXT,
    "gzip": run("gzip", "-c"),
    "gzip -1": run("gzip", "-1c"),
    "pigz": run("pigz", "-c"),
    "pigz in blocks": run("pigz", "-c", "-b", "128", "-p", "4", "-i"),
    "bgzip": run("bgzip", "-c"),
    "Python": lambda: gzip.compress(TEXT),
    "Python, a member a line": lambda: b"".join(map(gzip.compress, LINES)),
    "Python, empty members between": lambda: (
        gzip.compress(TEXT[:100]) + gzip.compress(b"") * 3 + gzip.compress(TEXT[100:])
    ),
    "stored": lambda: gzip.compress(TEXT, 0),
}


def read(path_or_bytes, monkeypatch=None):
    """The lines of a file, or of bytes as standard input, by number; and the final error."""
    found, said = {}, None
    if isinstance(path_or_bytes, bytes):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(path_or_bytes)))
    try:
        with open_lines("-" if isinstance(path_or_bytes, bytes) else str(path_or_bytes)) as lines:
            for number, line in lines:
                found |= {number: line}
    except InvalidParameterError as error:
        said = str(error)
    return found, said


ALL = dict(enumerate(LINES, start=1))


@pytest.mark.parametrize("maker", MAKERS)
def test_gzip_is_recognised_by_its_bytes(maker, tmp_path, monkeypatch):
    """From any program, under any name, and on standard input; plain text too."""
    data = MAKERS[maker]()
    assert read(data, monkeypatch) == (ALL, None)
    for name in ("in.jsonl", "in.jsonl.gz", "in", "in.zip"):
        (tmp_path / name).write_bytes(data)
        assert read(tmp_path / name) == (ALL, None)


FOREIGN = {
    "a file's name in the header": "gzip -c text",
    "two files one after the other": "head -n 70 text | gzip -c; tail -n +71 text | gzip -c",
    "a plain header that names a time": "gzip -Nc text",
    "zeros at the end, as truncate adds them": (
        "gzip -k text; truncate -s +700 text.gz; cat text.gz"
    ),
}


@pytest.mark.parametrize("script", FOREIGN.values(), ids=FOREIGN)
def test_what_gzip_itself_reads_whole_is_read_whole(script, tmp_path):
    """gzip's own output decides."""
    data = shell(script)(tmp_path)
    judged = subprocess.run(["gzip", "-dc"], input=data, capture_output=True, check=False)
    assert (judged.stdout, judged.returncode) == (TEXT, 0)
    (tmp_path / "in").write_bytes(data)
    assert read(tmp_path / "in") == (ALL, None)


DAMAGES = {
    "cut in the last row": ("truncate -s -40 text.gz", "it is cut short"),
    "cut in the checksum": ("truncate -s -5 text.gz", "it is cut short"),
    "cut in the middle": ("truncate -s 3000 text.gz", "it is cut short"),
    "a stray byte behind": ("printf x >> text.gz", "what follows is not gzip"),
    "half a magic number behind": (r"printf '\037' >> text.gz", "it is cut short"),
    "a text behind": ("cat text >> text.gz", "what follows is not gzip"),
    "a stray byte in the checksum": (
        "{ head -c -8 text.gz; printf x; tail -c 7 text.gz; } > other; mv other text.gz",
        "its checksum is wrong, so an earlier line may be corrupt",
    ),
}


@pytest.mark.parametrize(("script", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_every_whole_line_before_a_damage_is_read_and_the_end_is_named(script, reason, tmp_path):
    """gzip itself returns no line more."""
    data = shell(f"gzip -k text; {script}; cat text.gz")(tmp_path)
    judged = subprocess.run(["gzip", "-dc"], input=data, capture_output=True, check=False)
    assert judged.returncode
    (tmp_path / "in").write_bytes(data)
    found, said = read(tmp_path / "in")
    assert said == f"{tmp_path / 'in'} is damaged after line {len(found)}: {reason}"
    assert found == dict(list(ALL.items())[: len(found)])
    assert len(found) >= judged.stdout.count(b"\n")
    assert (len(found) == 150) is (
        script not in ("truncate -s -40 text.gz", "truncate -s 3000 text.gz")
    )
    assert found


def test_a_last_row_without_its_line_end_is_whole(tmp_path):
    """Cut in the checksum after it, the row is read; cut in the row itself, it is not."""
    data = gzip.compress(TEXT.rstrip(b"\n"))
    for cut, lines in ((1, 150), (8, 150), (20, 149)):
        (tmp_path / "in").write_bytes(data[:-cut])
        found, said = read(tmp_path / "in")
        assert (len(found), said) == (
            lines,
            f"{tmp_path / 'in'} is damaged after line {lines}: it is cut short",
        )


def test_a_cut_file_gives_every_byte_before_the_cut():
    """Exactly the bytes that zlib returns from one call, for pieces of any size."""
    data = gzip.compress(TEXT)
    for end in [*range(0, len(data), 101), *range(12)]:
        expected = zlib.decompressobj(31).decompress(data[:end])
        for size in (1, PIECE_BYTES) if end < 500 else (200, PIECE_BYTES):
            given = bytearray()
            try:
                for piece in decompress_gzip(
                    data[at : min(at + size, end)] for at in range(0, end, size)
                ):
                    given += piece
            except DamagedError:
                assert end
            else:
                assert not end
            assert given == expected


def test_a_byte_changed_anywhere_costs_no_line_before_it():
    """All bytes that zlib can decode before the change are returned.

    If there is no error, the change was in the header.
    """
    data = gzip.compress(TEXT)
    for at in [*range(30), *range(30, len(data), 41)]:
        changed = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        before, given, damaged = zlib.decompressobj(31).decompress(data[:at]), bytearray(), False
        try:
            for piece in decompress_gzip(iter([changed])):
                given += piece
        except DamagedError:
            damaged = True
        assert given.startswith(before)
        assert damaged or (given == TEXT and at < 10)


def test_a_small_file_that_holds_much_is_read_in_small_pieces(tmp_path):
    """A line of 100 MB is skipped; the line after it is read."""
    bomb = gzip.compress(b" " * 100_000_000 + b'\n{"title": "after"}\n')
    assert max(map(len, decompress_gzip(iter([bomb])))) <= 2**20
    (tmp_path / "in").write_bytes(bomb)
    assert read(tmp_path / "in") == ({1: None, 2: b'{"title": "after"}\n'}, None)


def zipped(text):
    """A ZIP archive."""
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("text", text)
        return buffer.getvalue()


OTHERS = {
    "UTF-16 with its mark": (lambda: TEXT.decode().encode("utf-16"), "UTF-16, not UTF-8"),
    "UTF-16, big end first": (
        lambda: b"\xfe\xff" + TEXT.decode().encode("utf-16-be"),
        "UTF-16, not UTF-8",
    ),
    "UTF-16 without a mark": (lambda: TEXT.decode().encode("utf-16-le"), "UTF-16, not UTF-8"),
    "zstd": (run("zstd", "-c"), "compressed with zstd, not gzip"),
    "xz": (lambda: lzma.compress(TEXT), "compressed with xz, not gzip"),
    "bzip2": (lambda: bz2.compress(TEXT), "compressed with bzip2, not gzip"),
    "ZIP": (lambda: zipped(TEXT), "a ZIP archive, not gzip"),
}


@pytest.mark.parametrize(("make", "kind"), OTHERS.values(), ids=OTHERS)
def test_a_file_of_another_kind_is_one_message(make, kind, tmp_path):
    """Not a thousand refusals of the bytes between two line feeds."""
    (tmp_path / "in").write_bytes(make())
    assert read(tmp_path / "in") == ({}, f"{tmp_path / 'in'} is {kind}")


def test_a_name_ending_in_gz_with_neither_gzip_nor_json_in_it_is_damaged(tmp_path):
    """Like a file whose first byte was lost."""
    for data in (gzip.compress(TEXT)[1:], b"no gzip"):
        (tmp_path / "in.gz").write_bytes(data)
        found, said = read(tmp_path / "in.gz")
        assert (found, said) == (
            {},
            (
                f"{tmp_path / 'in.gz'} is damaged after line 0:"
                " it starts with neither gzip nor a line of JSON"
            ),
        )
    for data in (b"", b"\xef\xbb\xbf\r\n{}\r\n"):
        (tmp_path / "in.gz").write_bytes(data)
        assert read(tmp_path / "in.gz")[1] == (None if data else said)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", {}),
        (b"\n", {}),
        (b"{}", {1: b"{}"}),
        (b"{}\n\n", {1: b"{}\n"}),
        (b"{}\r\n\r\n{}\r\n", {1: b"{}\r\n", 3: b"{}\r\n"}),
        (b"\xef\xbb\xbf{}\n{}\n", {1: b"{}\n", 2: b"{}\n"}),
        (b"{}\n\xef\xbb\xbf{}\n", {1: b"{}\n", 2: b"{}\n"}),
        (b"\xef\xbb\xbf\n{}\n", {2: b"{}\n"}),
        (b" \t\r\n{}\n \n", {2: b"{}\n"}),
        (b"{}\n\0\0\0", {1: b"{}\n", 2: b"\0\0\0"}),
        (b"x" * MAX_LINE + b"\n{}\n", {1: None, 2: b"{}\n"}),
        (b"x" * (MAX_LINE - 1) + b"\n{}\n", {1: b"x" * (MAX_LINE - 1) + b"\n", 2: b"{}\n"}),
        (b"{}\n" + b"x" * (3 * MAX_LINE), {1: b"{}\n", 2: None}),
    ],
)
def test_lines_are_numbered_and_blank_ones_are_skipped(data, expected, tmp_path, monkeypatch):
    """Line numbers are those of an editor. Blank lines and byte order marks are skipped."""
    for packed in (data, gzip.compress(data)):
        (tmp_path / "in").write_bytes(packed)
        assert read(tmp_path / "in") == (expected, None)
        assert read(packed, monkeypatch) == (expected, None)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_line_is_there_before_the_next_one_comes(pack, monkeypatch):
    """Also the first, however short: a pipe may deliver byte by byte."""
    ours, theirs = os.pipe()
    with open(ours, "rb") as incoming, open(theirs, "wb", buffering=0) as outgoing:  # noqa: PTH123 - descriptors
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=incoming))
        with open_lines("-") as lines:
            for _ in range(2):
                writer = threading.Thread(
                    target=lambda: [outgoing.write(bytes([byte])) for byte in pack(b"{}\n")]
                )
                writer.start()
                assert next(lines)[1] == b"{}\n"
                writer.join()


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """With the reason from the operating system."""
    assert read(tmp_path / "none") == ({}, f"{tmp_path / 'none'}: No such file or directory")
    assert read(tmp_path) == ({}, f"{tmp_path}: Is a directory")


def test_a_disk_that_fails_in_the_middle_costs_no_line_before(monkeypatch):
    """The lines before it are returned, and the failure is named."""

    class Failing(io.BytesIO):
        """Reads once, then fails like a disk."""

        def read1(self, size=-1):
            """Read the first time only."""
            if self.tell():
                raise OSError(5, os.strerror(5))
            return super().read1(size)

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Failing(TEXT[:100])))
    with open_lines("-") as lines:
        assert next(lines) == (1, LINES[0])
        with pytest.raises(InvalidParameterError, match=r"^-: Input/output error$"):
            next(lines)
