"""The key file is made once. Only its owner can read it, and every process gets the same keys."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from newsintel.errors import SettingsError
from newsintel.storage.embedded.secret_key_file import NAME, load_or_create_keys
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]


def test_key_is_made_once_in_a_private_file(tmp_path):
    """The missing folder is created. Only the owner can read it."""
    folder = tmp_path / "a" / "b"
    (key,) = load_or_create_keys(folder)
    assert load_or_create_keys(folder) == (key,)
    assert len(key.reveal()) == 43
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert load_or_create_keys(tmp_path) != (key,)


def test_concurrent_processes_get_the_same_key(tmp_path):
    """Eight processes start together, and all get the same key."""
    code = (
        "from pathlib import Path;"
        " from newsintel.storage.embedded.secret_key_file import load_or_create_keys;"
        f" print(load_or_create_keys(Path({str(tmp_path)!r}))[0].reveal())"
    )
    env = {"PYTHONPATH": str(ROOT), "PATH": os.defpath}
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env)
        for _ in range(8)
    ]
    assert {process.communicate(timeout=PATIENCE_S)[0].strip() for process in started} == {
        load_or_create_keys(tmp_path)[0].reveal()
    }


def test_an_empty_file_is_filled(tmp_path):
    """A process that was killed between creating and writing the file leaves an empty one."""
    (tmp_path / NAME).touch()
    assert load_or_create_keys(tmp_path) == load_or_create_keys(tmp_path)


@pytest.mark.parametrize("content", [b"short", b"\xff", b"A" * 42 + b"\n"])
def test_file_without_valid_keys_is_refused(tmp_path, content):
    """The one-line message names the file and shows nothing of its content."""
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(SettingsError, match="does not hold secret keys") as caught:
        load_or_create_keys(tmp_path)
    assert "short" not in str(caught.value)


def test_a_folder_that_cannot_be_used_is_refused(tmp_path):
    """A link in the file's place is not followed; a file cannot be the folder."""
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    for folder in (tmp_path, tmp_path / NAME / "x", Path("/proc/nowhere")):
        with pytest.raises(
            SettingsError,
            match=r"^NEWSINTEL_DATA_DIR .* cannot be used: .*; set it, or NEWSINTEL_SECRET_KEYS$",
        ):
            load_or_create_keys(folder)
    assert not (tmp_path / "elsewhere").exists()
