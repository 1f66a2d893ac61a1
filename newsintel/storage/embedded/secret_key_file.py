"""Secret keys for development, created at first use and stored in DATA_DIR.

Production sets its own keys: see SECRET_KEYS.
"""

import base64
import fcntl
import os
import secrets
from pathlib import Path

from newsintel.config.values import Secret, parse_key_list
from newsintel.errors import SettingsError
from newsintel.storage.embedded.data_dir import check_owner, name_data_dir_in_errors

NAME = "secret-keys"


def load_or_create_keys(data_dir: Path) -> tuple[Secret, ...]:
    """Return the keys stored in a folder; create a key if there is none.

    Concurrent processes agree on one key, because a process reads and writes the file only while it
    holds the file's lock.

    Raises:
        SettingsError: the folder cannot be used, or the file does not contain keys.
    """
    path = data_dir / NAME
    with name_data_dir_in_errors(data_dir, "; set it, or NEWSINTEL_SECRET_KEYS"):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_owner(data_dir)
        # Only its owner has access from the start; a link in its place is refused.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # short: only this function holds it
            text = file.read()
            if not text:
                text = base64.urlsafe_b64encode(secrets.token_bytes(32))
                file.write(text)
                file.flush()
                os.fsync(descriptor)
    try:
        return parse_key_list(text.decode("ascii"))
    except ValueError:
        raise SettingsError(
            f"{path} does not hold secret keys; delete it, or set NEWSINTEL_SECRET_KEYS"
        ) from None
