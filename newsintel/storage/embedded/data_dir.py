"""DATA_DIR, where embedded servers and secret keys of development keep their files: what it says when it cannot be used."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsintel.errors import SettingsError


@contextmanager
def named(data_dir: Path, hint: str = "") -> Iterator[None]:
    """Turn a refusal of the system into one line that names the setting and the folder.

    Args:
        data_dir: the folder.
        hint: what else could be done, to follow on the reason.

    Raises:
        SettingsError: the system refused something.
    """
    try:
        yield
    except OSError as error:
        raise SettingsError(f"NEWSINTEL_DATA_DIR ({data_dir}) cannot be used: {error.strerror or error}{hint}") from error


def make(data_dir: Path) -> Path:
    """The folder itself, made if it is not there, its owner's alone; without links and dots, so that all commands call it by one name.

    Raises:
        OSError: the system refused something, or others share the folder, as /tmp: root must not take it from them.
    """
    found = Path(os.path.realpath(data_dir))  # Path.resolve has an exception of its own for links in a circle
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    if found.stat().st_mode & stat.S_ISVTX:
        raise OSError(errno.EPERM, "others share it: name a folder in it")
    found.chmod(0o700)
    return found.resolve(strict=True)
