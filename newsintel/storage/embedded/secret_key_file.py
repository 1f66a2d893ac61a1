"""Secret keys for development, made at first need and kept in DATA_DIR. Production is given its own: see SECRET_KEYS."""

import base64
import fcntl
import os
import secrets
from pathlib import Path

from newsintel.config.values import Secret, key_list
from newsintel.errors import SettingsError
from newsintel.storage.embedded.data_dir import named

NAME = "secret-keys"


def kept_keys(data_dir: Path) -> tuple[Secret, ...]:
    """The keys kept in a folder, made if there are none.

    Processes that come at once agree on one key: only the holder of a lock on the file looks and writes.

    Raises:
        SettingsError: the folder cannot be used, or the file does not hold keys.
    """
    path = data_dir / NAME
    with named(data_dir, "; set it, or NEWSINTEL_SECRET_KEYS"):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Its owner's alone from the start; a link laid in its place is refused.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # a moment: nobody holds it longer than this function
            text = file.read()
            if not text:
                text = base64.urlsafe_b64encode(secrets.token_bytes(32))
                file.write(text)
                file.flush()
                os.fsync(descriptor)
    try:
        return key_list(text.decode("ascii"))
    except ValueError:
        raise SettingsError(f"{path} does not hold secret keys; delete it, or set NEWSINTEL_SECRET_KEYS") from None
