"""DATA_DIR, the folder of the embedded servers and the development keys."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsintel.errors import SettingsError


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


SYSTEM_FOLDERS = frozenset(
    ["/"]
    + [f"/{name}" for name in ("bin", "boot", "dev", "etc", "home", "lib", "media", "mnt", "opt")]
    + [f"/{name}" for name in ("run", "sbin", "srv", "tmp", "usr", "usr/local", "var", "var/lib")]
)
"""Folders of the Filesystem Hierarchy Standard 3.0 that all users need. If root made one of them
private after a slip in the setting, nobody else could use the machine."""


def create_data_dir(data_dir: Path) -> Path:
    """Create the folder if it is missing, with access for its owner only, and return its path.

    The path has no links and dots, so all commands use the same path.

    Raises:
        OSError: the system or `check_owner` refused it, others share it, such as /tmp or /home, or
            another user has put a link into it.
    """
    # os.path.realpath, because Path.resolve may raise RuntimeError for circular links.
    found = Path(os.path.realpath(data_dir))
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    if found.stat().st_mode & stat.S_ISVTX or str(found) in SYSTEM_FOLDERS:
        raise OSError(errno.EPERM, "other users share it: use a folder inside it")
    check_owner(found)
    found.chmod(0o700)
    if (link := _find_foreign_link(found)) is not None:
        raise OSError(errno.ELOOP, f"another user made the link {link} in it")
    return found.resolve(strict=True)


def check_owner(folder: Path) -> None:
    """Refuse the folder of another user, also as root.

    Its owner can connect to the PostgreSQL in it, which root starts with the right to open every
    file (`PostgresDaemon.find_tool`).

    Raises:
        OSError: another user owns it, or the system does not show it.
    """
    if folder.stat().st_uid != os.geteuid():
        raise OSError(errno.EPERM, "another user owns it: use a folder of your own")


def _find_foreign_link(folder: Path) -> str | None:
    """Return the name of a link in a folder that neither its owner nor root has made.

    It was made before the folder was private, perhaps in the place of a file that we write, and
    could lead to a file that only we may write.
    """
    trusted = (os.geteuid(), 0)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink() and entry.stat(follow_symlinks=False).st_uid not in trusted:
                return entry.name
    return None
