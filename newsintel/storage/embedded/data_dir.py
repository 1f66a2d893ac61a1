"""DATA_DIR, the folder of the embedded servers and the development keys."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsintel.errors import SettingsError

OURS = frozenset({"users.lock", "spool", "secret-keys", "demo"})
"""Names of which a folder that newsintel has used before has one."""
OF_A_DISK = frozenset({"lost+found"})
"""What an empty file system holds."""


@contextmanager
def name_data_dir_in_errors(data_dir: Path, hint: str = "") -> Iterator[None]:
    """Turn an OSError into one line that names the setting and the folder.

    Args:
        data_dir: the folder.
        hint: text after the reason: what else the operator can do.

    Raises:
        SettingsError: the block raised an OSError.
    """
    try:
        yield
    except OSError as error:
        raise SettingsError(
            f"NEWSINTEL_DATA_DIR ({data_dir}) cannot be used: {error.strerror or error}{hint}"
        ) from error


def create_data_dir(data_dir: Path) -> Path:
    """Create the folder if it is missing, with access for its owner only, and return its path.

    The path has no links and dots, so all commands use the same path.

    Raises:
        OSError: the system refused it, or other users share the folder, such as /tmp; or root named
            a folder of the system, such as /, which nobody else could use then.
    """
    # os.path.realpath, because Path.resolve may raise RuntimeError for circular links.
    found = Path(os.path.realpath(data_dir))
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = found.stat().st_mode
    if mode & stat.S_ISVTX:
        raise OSError(errno.EPERM, "other users share it: use a folder inside it")
    if mode & 0o077 and os.geteuid() == 0 and _holds_only_other_files(found):
        raise OSError(errno.EPERM, "others use it, and it has other files: use a folder in it")
    found.chmod(0o700)
    return found.resolve(strict=True)


def _holds_only_other_files(folder: Path) -> bool:
    names = {found.name for found in folder.iterdir()} - OF_A_DISK
    return bool(names) and not names & OURS
