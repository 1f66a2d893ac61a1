"""Part files, which commands write before they replace a file.

A person with write access to the folder cannot choose which file is overwritten.
"""

import os

import pytest

from newsintel.commands.export_file import open_export
from newsintel.commands.replacing import open_replacement
from newsintel.errors import InvalidParameterError


@pytest.fixture
def theirs(tmp_path):
    """A file that we must not write."""
    path = tmp_path / "theirs"
    path.write_text("precious")
    return path


def test_an_export_follows_no_link_as_its_part_file(theirs, tmp_path):
    """The error names the file, and nothing is written."""
    (tmp_path / "out.jsonl.part").symlink_to(theirs)
    with (
        pytest.raises(InvalidParameterError, match=r"out\.jsonl"),
        open_export(str(tmp_path / "out.jsonl"), None) as out,
    ):
        out.write(b"{}\n")
    assert theirs.read_text() == "precious"
    assert not (tmp_path / "out.jsonl").exists()


def test_a_replaced_file_follows_no_link_as_its_part_file(theirs, tmp_path):
    """The link does not replace the file either."""
    (tmp_path / f".out.{os.getpid()}.part").symlink_to(theirs)
    with (
        pytest.raises(OSError, match="symbolic links"),
        open_replacement(str(tmp_path / "out")) as out,
    ):
        out.write(b"{}\n")
    assert theirs.read_text() == "precious"
    assert not (tmp_path / "out").exists()
