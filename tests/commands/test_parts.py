"""Parts, which commands write before they put them in a file's place: nobody who may write to the folder chooses what is overwritten."""

import os

import pytest

from newsintel.commands.export_file import exporting
from newsintel.commands.replacing import replacing
from newsintel.errors import InvalidParameterError


@pytest.fixture
def theirs(tmp_path):
    """A file that is none of ours to write."""
    path = tmp_path / "theirs"
    path.write_text("precious")
    return path


def test_an_export_follows_no_link_in_its_part(theirs, tmp_path):
    """It is refused by name, and nothing was written."""
    (tmp_path / "out.jsonl.part").symlink_to(theirs)
    with pytest.raises(InvalidParameterError, match=r"out\.jsonl"), exporting(str(tmp_path / "out.jsonl"), None) as out:
        out.write(b"{}\n")
    assert theirs.read_text() == "precious"
    assert not (tmp_path / "out.jsonl").exists()


def test_a_replaced_file_follows_none_either(theirs, tmp_path):
    """Nor is the link put in the file's place."""
    (tmp_path / f".out.{os.getpid()}.part").symlink_to(theirs)
    with pytest.raises(OSError, match="symbolic links"), replacing(str(tmp_path / "out")) as out:
        out.write(b"{}\n")
    assert theirs.read_text() == "precious"
    assert not (tmp_path / "out").exists()
